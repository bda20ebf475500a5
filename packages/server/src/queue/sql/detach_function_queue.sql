-- Detached from now on, with the note that makes every node look. Unique index queue_function.
WITH detached AS (
  UPDATE posthorn.queue SET attached_at = NULL, version = version + 1, updated_at = now()
  WHERE org_id = $1::int AND function = $2::text AND deleted_at IS NULL AND attached_at IS NOT NULL
  RETURNING id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM detached
