-- What was taken over from other systems, and as what. Why there is a ledger: import/import-pg-hooks.ts

CREATE TABLE posthorn.import_source (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fingerprint text NOT NULL UNIQUE, -- what tells this database from others, wherever it is moved to
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE posthorn.imported (
  source_id integer NOT NULL REFERENCES posthorn.import_source (id),
  kind "char" NOT NULL,           -- q queue, c cron, m message
  old_id bigint NOT NULL,
  old_created_us bigint NOT NULL, -- microseconds since 1970, by the other system: an id that was given out twice shows
  new_id bigint,                  -- NULL: a tick that the cron stores here by itself
  imported_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source_id, kind, old_id)
);
