-- How many turns an org's queues get together where a node is full.
ALTER TABLE posthorn.org
  ADD COLUMN weight smallint NOT NULL DEFAULT 10 CHECK (weight BETWEEN 1 AND 100);
