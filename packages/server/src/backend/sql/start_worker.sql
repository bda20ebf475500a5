-- A worker that was stopped starts, and any starts anew if $2 says so, with the note that makes every node look. Primary key.
WITH started AS (
  UPDATE posthorn.queue
  SET paused_at = NULL, pause_reason = NULL, attached_at = CASE WHEN attached_at IS NULL THEN NULL ELSE now() END,
      version = version + 1, updated_at = now()
  WHERE id = $1::int AND function IS NOT NULL AND deleted_at IS NULL AND (paused_at IS NOT NULL OR $2::boolean)
  RETURNING id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM started
