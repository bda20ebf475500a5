-- Pinned messages: their order was fixed before the snapshot horizon covered them. Nearly always none.
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.priority::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, p.body, encode(p.bytes, 'hex'), p.headers,
  CASE WHEN p.id IS NULL THEN '1' END
FROM posthorn.message AS m
LEFT JOIN posthorn.payload AS p ON p.id = m.payload_id
WHERE m.pin IS NOT NULL AND m.queue_id = ANY ($1::int[]) AND m.due_at IS NULL
ORDER BY m.queue_id, m.pin
