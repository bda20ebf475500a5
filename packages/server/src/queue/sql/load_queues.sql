-- Everything that delivery needs to know of these queues. Primary keys of `queue` and `org`; deleted queues are not found.
SELECT q.id, q.org_id, o.weight AS org_weight, q.name, q.callback_url, q.method, q.headers, q.dead_letter_queue_id,
       q.max_retries, q.backoff, q.timeout_ms, q.concurrency, q.ordered, q.follow_redirects, q.on_gone, q.secrets,
       q.rate_limit, q.circuit_breaker, q.weight, q.spread, q.paused_at, q.version, q.function, q.attached_at
FROM posthorn.queue AS q
JOIN posthorn.org AS o ON o.id = q.org_id
WHERE q.id = ANY ($1::int[]) AND q.deleted_at IS NULL
