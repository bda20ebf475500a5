-- Ready messages of many lanes, each from its cursor on: one hop per lane along message_lane, past everything settled.
-- The payload is a hop into one partition. Columns as decode.ts reads them.
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.lane::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, p.body, encode(p.bytes, 'hex'), p.headers,
  CASE WHEN p.id IS NULL THEN '1' END
FROM unnest($1::int[], $2::smallint[], $3::xid8[], $4::bigint[], $5::int[]) AS q (queue_id, lane, xid, id, most)
CROSS JOIN LATERAL (
  SELECT x.* FROM posthorn.message AS x
  WHERE x.queue_id = q.queue_id AND x.lane = q.lane AND x.due_at IS NULL AND (x.xid, x.id) > (q.xid, q.id)
  ORDER BY x.xid, x.id LIMIT q.most
) AS m
LEFT JOIN LATERAL (
  SELECT x.id, x.body, x.bytes, x.headers FROM posthorn.payload AS x WHERE x.id = m.payload_id LIMIT 1
) AS p ON true
