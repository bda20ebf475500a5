-- What operators are told of. Why an alarm is a row: tell/alarms.ts

CREATE TABLE posthorn.alarm (
  kind text NOT NULL CHECK (kind IN ('breaker', 'backlog', 'workers')),
  queue_id integer NOT NULL, -- 0: the installation as a whole
  node text NOT NULL,        -- who said so last
  raised_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, queue_id)
);

-- How old the backlog of this queue may be; NULL: as the settings have it, 0: any age.
ALTER TABLE posthorn.queue ADD COLUMN backlog_age_limit_ms integer;
