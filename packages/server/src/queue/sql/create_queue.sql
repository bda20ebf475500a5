-- A queue and the note that makes every node look at it: one that had asked for its id before may remember it as unknown.
-- An id that is given must not be drawn by anybody any more: whoever gives one moves the sequence past it first.
WITH made AS (
  INSERT INTO posthorn.queue (id, org_id, name, callback_url, method, headers, dead_letter_queue_id, max_retries, backoff,
                              timeout_ms, concurrency, ordered, follow_redirects, on_gone, secrets, rate_limit,
                              circuit_breaker, weight, backlog_age_limit_ms,
                              message_retention_ms, body_retention_ms, attempt_retention_ms, spread, slices)
  VALUES (coalesce($23::int, nextval('posthorn.queue_id_seq')),
          $1::int, $2::text, $3::text, $4::text, $5::jsonb, $6::int, $7::int, $8::jsonb, $9::int, $10::int, $11::text,
          $12::boolean, $13::text, $14::text[], $15::jsonb, $16::jsonb, $17::smallint, $18::int, $19::bigint, $20::bigint, $21::bigint,
          $22::smallint, $22::smallint)
  RETURNING id
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM made
)
SELECT id FROM made
