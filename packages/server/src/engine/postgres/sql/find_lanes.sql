-- Lanes that have ready messages, and since when the first of each waits: hops along message_lane from lane to lane, so that
-- its cost is the number of lanes, not of messages. A message that was sent again stands there since it was, which it does
-- not say: it tells nothing of how long.
WITH RECURSIVE l (queue_id, lane, since) AS (
  (SELECT queue_id, lane, CASE WHEN forgiven = 0 THEN greatest(created_at, scheduled_at) END
   FROM posthorn.message WHERE due_at IS NULL ORDER BY queue_id, lane, xid, id LIMIT 1)
  UNION ALL
  SELECT n.queue_id, n.lane, n.since
  FROM l
  CROSS JOIN LATERAL (
    SELECT m.queue_id, m.lane, CASE WHEN m.forgiven = 0 THEN greatest(m.created_at, m.scheduled_at) END AS since
    FROM posthorn.message AS m
    WHERE m.due_at IS NULL AND (m.queue_id, m.lane) > (l.queue_id, l.lane)
    ORDER BY m.queue_id, m.lane, m.xid, m.id LIMIT 1
  ) AS n
)
SELECT queue_id::text, lane::text, floor(extract(epoch FROM since) * 1000)::bigint::text
FROM l WHERE (queue_id + lane / 10 * 39) % $2::int = ANY ($1::int[])
