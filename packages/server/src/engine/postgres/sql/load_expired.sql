-- Messages past their expiry, wherever they wait: along message_expiry, which holds only messages that can expire.
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.priority::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, p.body, encode(p.bytes, 'hex'), p.headers,
  CASE WHEN p.id IS NULL THEN '1' END
FROM posthorn.message AS m
LEFT JOIN posthorn.payload AS p ON false
WHERE m.expires_at <= now() AND m.queue_id % $2::int = ANY ($1::int[])
ORDER BY m.expires_at LIMIT $3::int
