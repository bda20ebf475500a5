-- Pull: the holder of a claim asks for more time.
WITH u AS MATERIALIZED (
  SELECT q.org_id, q.id AS queue_id, c.id, c.claim
  FROM posthorn.queue AS q CROSS JOIN unnest($2::bigint[], $3::uuid[]) AS c (id, claim) WHERE q.id = $1::int
)
UPDATE posthorn.message AS m
SET due_at = CASE WHEN m.due_at IS NOT NULL
      THEN date_trunc('milliseconds', now() + $4::float8 * interval '1 ms') END,
    retry_at = CASE WHEN m.due_at IS NULL
      THEN date_trunc('milliseconds', now() + $4::float8 * interval '1 ms') END
FROM u
WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.queue_id IS NOT DISTINCT FROM u.queue_id
  AND m.claim = u.claim
RETURNING m.id::text
