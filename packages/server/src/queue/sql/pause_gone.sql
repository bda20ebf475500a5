-- Pauses a queue for its receiver's answer, unless it is paused already: of many attempts that are answered so, one does.
-- With the note that makes every node look. Primary key.
WITH paused AS (
  UPDATE posthorn.queue SET paused_at = now(), pause_reason = $2::text, version = version + 1, updated_at = now()
  WHERE id = $1::int AND paused_at IS NULL AND deleted_at IS NULL
  RETURNING id, org_id, name, paused_at
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM paused
)
SELECT org_id, name, paused_at FROM paused
