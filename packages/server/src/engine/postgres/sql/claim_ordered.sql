-- Pull from an ordered queue: the head of the line, if it is not out. With $4 = 'key' a line is a key (a message without
-- one is a line of its own), found among the first thousand of the lane. A claim waits in place (retry_at) and is pinned:
-- what commits late cannot get before what was handed out. What is past its expiry is passed over, unless it is out: then
-- its line still waits for it. Along message_lane and message_pinned. Runs after lock_queue, in its transaction; a holder
-- whose claim ran out and who extends it in just this moment keeps it.
WITH front AS (
  SELECT org_id, id, xid, pin, retry_at,
    CASE WHEN $4::text = 'queue' THEN '' ELSE coalesce('k' || key, 'm' || id) END AS line
  FROM posthorn.message
  WHERE queue_id = $1::int AND lane = 0 AND due_at IS NULL
    AND (expires_at IS NULL OR expires_at > now() OR retry_at > now())
  ORDER BY xid, id LIMIT CASE WHEN $4::text = 'queue' THEN 1 ELSE 1000 END
), candidates AS (
  SELECT * FROM front
  UNION
  (SELECT org_id, id, xid, pin, retry_at,
     CASE WHEN $4::text = 'queue' THEN '' ELSE coalesce('k' || key, 'm' || id) END
   FROM posthorn.message WHERE queue_id = $1::int AND pin IS NOT NULL AND due_at IS NULL
     AND (expires_at IS NULL OR expires_at > now() OR retry_at > now())
   ORDER BY pin)
), heads AS (
  SELECT DISTINCT ON (line) * FROM candidates ORDER BY line, pin NULLS LAST, xid, id
), c AS (
  SELECT org_id, id FROM heads WHERE retry_at IS NULL OR retry_at <= now() ORDER BY xid, id LIMIT $2::int
), m AS (
  UPDATE posthorn.message AS m
  SET claim = gen_random_uuid(), attempts = m.attempts + 1, pin = coalesce(m.pin, nextval('posthorn.message_pin')),
      retry_at = date_trunc('milliseconds', now() + $3::float8 * interval '1 ms')
  FROM c WHERE m.org_id = ANY (ARRAY[c.org_id]) AND m.id = c.id AND (m.retry_at IS NULL OR m.retry_at <= now())
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
ORDER BY m.xid, m.id
