-- Attached from now on, with the note that makes every node look. Unique index queue_function; the caller holds the org.
WITH started AS (
  UPDATE posthorn.queue SET attached_at = now(), version = version + 1, updated_at = now()
  WHERE org_id = $1::int AND function = $2::text AND deleted_at IS NULL
  RETURNING id
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM started
)
SELECT id FROM started
