-- Pull: hands out due messages for a time. A claim that runs out is due again by its due_at, like any retried message.
-- Rows another consumer is claiming are skipped. Overdue ones first (message_due), then lane by lane, highest priority
-- first (message_lane); rows locked beyond the limit are free again at the commit. What waits in place (retry_at) does so
-- from when the queue was ordered.
WITH overdue AS MATERIALIZED (
  SELECT org_id, id FROM posthorn.message
  WHERE queue_id = $1::int AND due_at IS NOT NULL AND due_at <= now() AND (expires_at IS NULL OR expires_at > now())
  ORDER BY due_at, id LIMIT $2::int FOR UPDATE SKIP LOCKED
), ready AS MATERIALIZED (
  SELECT r.org_id, r.id
  FROM generate_series(9, 0, -1) AS l (lane)
  CROSS JOIN LATERAL (
    SELECT x.org_id, x.id FROM posthorn.message AS x
    WHERE x.queue_id = $1::int AND x.lane = l.lane AND x.due_at IS NULL
      AND (x.expires_at IS NULL OR x.expires_at > now()) AND (x.retry_at IS NULL OR x.retry_at <= now())
    ORDER BY x.xid, x.id LIMIT $2::int FOR UPDATE SKIP LOCKED
  ) AS r
  LIMIT $2::int
), c AS MATERIALIZED (
  SELECT org_id, id FROM overdue UNION ALL SELECT org_id, id FROM ready LIMIT $2::int
), m AS (
  UPDATE posthorn.message AS m
  SET claim = gen_random_uuid(), attempts = m.attempts + 1, scheduled_at = coalesce(m.scheduled_at, m.due_at),
      due_at = date_trunc('milliseconds', now() + $3::float8 * interval '1 ms'), retry_at = NULL
  FROM c WHERE m.org_id = ANY (ARRAY[c.org_id]) AND m.id = c.id
  RETURNING m.*
)
SELECT
  m.queue_id::text, m.id::text, m.org_id::text, m.xid::text, m.lane::text, m.attempts::text, m.forgiven::text, m.key,
  floor(extract(epoch FROM m.due_at) * 1000)::bigint::text, floor(extract(epoch FROM m.retry_at) * 1000)::bigint::text,
  floor(extract(epoch FROM m.expires_at) * 1000)::bigint::text, m.pin::text, p.body, encode(p.bytes, 'hex'), p.headers,
  CASE WHEN p.id IS NULL THEN '1' END, m.claim::text
FROM m LEFT JOIN LATERAL (
  SELECT x.id, x.body, x.bytes, x.headers FROM posthorn.payload AS x WHERE x.id = m.payload_id LIMIT 1
) AS p ON true
ORDER BY m.lane % 10 DESC, m.xid, m.id
