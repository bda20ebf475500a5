-- Everything that delivery needs to know of these queues. Primary key of `queue`; deleted ones are not found.
SELECT id, org_id, name, callback_url, method, headers, dead_letter_queue_id, max_retries, backoff, timeout_ms,
       concurrency, ordered, follow_redirects, on_gone, secrets, rate_limit, circuit_breaker, weight, paused_at, version,
       function, attached_at
FROM posthorn.queue WHERE id = ANY ($1::int[]) AND deleted_at IS NULL
