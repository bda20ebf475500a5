-- Delayed and retried messages that are due by now, each slice from its cursor on along
-- message_due, past those of the other slices.
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.lane::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, p.body, encode(p.bytes, 'hex'), p.headers,
  CASE WHEN p.id IS NULL THEN '1' END
FROM unnest($1::int[], $2::float8[], $3::bigint[], $4::int[], $5::smallint[]) AS q (queue_id, due, id, most, slice)
CROSS JOIN LATERAL (
  SELECT x.* FROM posthorn.message AS x
  WHERE x.queue_id = q.queue_id AND x.due_at IS NOT NULL AND x.due_at <= now()
    AND (x.due_at, x.id) > (to_timestamp(q.due / 1000), q.id) AND x.lane / 10 = q.slice
  ORDER BY x.due_at, x.id LIMIT q.most
) AS m
LEFT JOIN LATERAL (
  SELECT x.id, x.body, x.bytes, x.headers FROM posthorn.payload AS x WHERE x.id = m.payload_id LIMIT 1
) AS p ON true
