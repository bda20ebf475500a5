-- Pull: the holder of a claim asks for more time.
WITH u AS (
  SELECT * FROM unnest($2::bigint[], $3::uuid[]) AS u (id, claim)
)
UPDATE posthorn.message AS m
SET due_at = CASE WHEN m.due_at IS NOT NULL
      THEN date_trunc('milliseconds', now() + $4::float8 * interval '1 ms') END,
    retry_at = CASE WHEN m.due_at IS NULL
      THEN date_trunc('milliseconds', now() + $4::float8 * interval '1 ms') END
FROM u
WHERE m.org_id = (SELECT org_id FROM posthorn.queue WHERE id = $1::int)
  AND m.id = u.id AND m.queue_id = $1::int AND m.claim = u.claim
RETURNING m.id::text
