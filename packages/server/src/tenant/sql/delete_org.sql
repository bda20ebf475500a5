-- An org is gone at once, and with it its keys; both are told to every node. Whoever makes a key just then holds the org's
-- row (create_key), so that none is left behind. Primary keys.
WITH gone AS (
  UPDATE posthorn.org SET deleted_at = now(), updated_at = now() WHERE id = $1::int AND deleted_at IS NULL RETURNING id
), keys AS (
  DELETE FROM posthorn.api_key AS k USING gone WHERE k.org_id = gone.id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'tenant', id FROM gone RETURNING queue_id
