-- Pull: given back, due again at $4. An ordered queue's head keeps its place.
WITH u AS MATERIALIZED (
  SELECT q.org_id, q.id AS queue_id, c.id, c.claim
  FROM posthorn.queue AS q CROSS JOIN unnest($2::bigint[], $3::uuid[]) AS c (id, claim) WHERE q.id = $1::int
), kept AS (
  UPDATE posthorn.message AS m
  SET claim = NULL,
      due_at = CASE WHEN m.due_at IS NOT NULL THEN to_timestamp($4::float8 / 1000) END,
      retry_at = CASE WHEN m.due_at IS NULL THEN to_timestamp($4::float8 / 1000) END
  FROM u
  WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.queue_id IS NOT DISTINCT FROM u.queue_id
    AND m.claim = u.claim
  RETURNING m.id, m.attempts
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  SELECT id, $1::int, attempts, now(), 0, 'r', 0 FROM kept
)
SELECT id::text FROM kept
