-- One very busy queue over several nodes: docs/decisions/spread.md
-- Both steps change the catalogue alone, however many messages wait: a column that is renamed keeps its values and its
-- index, and one that is added with a constant is not written into the rows.

-- A lane is one priority of one slice of a queue: slice * 10 + priority. Until now every queue was one slice, the first.
ALTER TABLE posthorn.message RENAME COLUMN priority TO lane;

ALTER TABLE posthorn.queue
  ADD COLUMN spread smallint NOT NULL DEFAULT 1,
  ADD COLUMN slices smallint NOT NULL DEFAULT 1; -- the most that spread ever was: what waits may be in any of so many
