-- Idempotency keys past their time, along idempotency_expiry. A put that takes one over at this moment keeps it.
WITH expired AS (
  SELECT queue_id, key FROM posthorn.idempotency
  WHERE expires_at <= now() ORDER BY expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM posthorn.idempotency AS k USING expired AS e WHERE k.queue_id = e.queue_id AND k.key = e.key RETURNING 1
)
SELECT count(*) AS removed FROM gone
