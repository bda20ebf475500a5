-- A worker is stopped as a queue is paused, with the note that makes every node look. Primary key.
WITH stopped AS (
  UPDATE posthorn.queue SET paused_at = now(), pause_reason = 'worker stopped', version = version + 1, updated_at = now()
  WHERE id = $1::int AND function IS NOT NULL AND paused_at IS NULL AND deleted_at IS NULL
  RETURNING id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM stopped
