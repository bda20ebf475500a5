-- Lanes that have ready messages: hops along message_lane from lane to lane, so that its cost is the number of lanes,
-- not of messages.
WITH RECURSIVE l (queue_id, lane) AS (
  (SELECT queue_id, lane FROM posthorn.message WHERE due_at IS NULL ORDER BY queue_id, lane LIMIT 1)
  UNION ALL
  SELECT n.queue_id, n.lane
  FROM l
  CROSS JOIN LATERAL (
    SELECT m.queue_id, m.lane FROM posthorn.message AS m
    WHERE m.due_at IS NULL AND (m.queue_id, m.lane) > (l.queue_id, l.lane)
    ORDER BY m.queue_id, m.lane LIMIT 1
  ) AS n
)
SELECT queue_id::text, lane::text FROM l WHERE (queue_id + lane / 10 * 39) % $2::int = ANY ($1::int[])
