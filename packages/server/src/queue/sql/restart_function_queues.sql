-- Workers start anew: what held them back (a rest, an open circuit) was another service's doing. Unique index queue_function.
WITH restarted AS (
  UPDATE posthorn.queue SET attached_at = now(), version = version + 1, updated_at = now()
  WHERE org_id = ANY ($1::int[]) AND function = $2::text AND deleted_at IS NULL AND attached_at IS NOT NULL
  RETURNING id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM restarted
