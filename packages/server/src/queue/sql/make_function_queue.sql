-- The queue of a function, attached. The caller holds the org, so that one of two first attachings makes it.
WITH made AS (
  INSERT INTO posthorn.queue (org_id, function, name, method, max_retries, backoff, timeout_ms, concurrency, ordered,
                              follow_redirects, on_gone, circuit_breaker, attached_at)
  VALUES ($1::int, $2::text, $3::text, 'POST', $4::int, $5::jsonb, $6::int, $7::int, 'none', false, 'fail', $8::jsonb, now())
  RETURNING id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM made
