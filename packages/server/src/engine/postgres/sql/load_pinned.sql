-- Pinned messages: their order was fixed before the snapshot horizon covered them. Nearly always none. Along
-- message_pinned.
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.lane::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, p.body, encode(p.bytes, 'hex'), p.headers,
  CASE WHEN p.id IS NULL THEN '1' END
FROM unnest($1::int[]) AS q (queue_id)
CROSS JOIN LATERAL (
  SELECT x.* FROM posthorn.message AS x
  WHERE x.queue_id = q.queue_id AND x.pin IS NOT NULL AND x.due_at IS NULL
  ORDER BY x.pin
) AS m
LEFT JOIN LATERAL (
  SELECT x.id, x.body, x.bytes, x.headers FROM posthorn.payload AS x WHERE x.id = m.payload_id LIMIT 1
) AS p ON true
ORDER BY m.queue_id, m.pin
