-- What stand-ins (testmail, testdetail) were given, so that every node shows what any of them received: docs/decisions/backends.md

CREATE TABLE posthorn.inbox (
  org_id integer NOT NULL,
  service_id integer NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL,
  entry text NOT NULL,          -- JSON; text, as it may hold what jsonb does not take
  PRIMARY KEY (org_id, service_id, id),
  FOREIGN KEY (org_id, service_id) REFERENCES posthorn.service (org_id, id) ON DELETE CASCADE
);
CREATE INDEX inbox_at ON posthorn.inbox (at);
