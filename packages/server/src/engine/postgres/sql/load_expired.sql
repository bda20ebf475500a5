-- Messages past their expiry, wherever they wait: along message_expiry, which holds only messages that can expire. Not
-- those that a consumer holds: they were handed out in time. Their content is not needed.
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.lane::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, NULL, NULL, NULL, NULL
FROM posthorn.message AS m
WHERE m.expires_at <= now() AND (m.queue_id + m.lane / 10 * 39) % $2::int = ANY ($1::int[])
  AND (m.claim IS NULL OR coalesce(m.due_at, m.retry_at, now()) <= now())
ORDER BY m.expires_at LIMIT $3::int
