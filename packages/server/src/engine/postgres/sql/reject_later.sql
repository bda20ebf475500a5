-- Pull: given back, due again at $4. An ordered queue's head keeps its place.
WITH u AS (
  SELECT * FROM unnest($2::bigint[], $3::uuid[]) AS u (id, claim)
), kept AS (
  UPDATE posthorn.message AS m
  SET claim = NULL,
      due_at = CASE WHEN m.due_at IS NOT NULL THEN to_timestamp($4::float8 / 1000) END,
      retry_at = CASE WHEN m.due_at IS NULL THEN to_timestamp($4::float8 / 1000) END
  FROM u
  WHERE m.org_id = (SELECT org_id FROM posthorn.queue WHERE id = $1::int)
    AND m.id = u.id AND m.queue_id = $1::int AND m.claim = u.claim
  RETURNING m.id, m.attempts
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  SELECT id, $1::int, attempts, now(), 0, 'r', 0 FROM kept
)
SELECT id::text FROM kept
