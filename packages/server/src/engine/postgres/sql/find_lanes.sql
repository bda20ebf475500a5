-- Lanes that have ready messages: hops along message_lane from lane to lane, so that its cost is the number of lanes,
-- not of messages.
WITH RECURSIVE lane (queue_id, priority) AS (
  (SELECT queue_id, priority FROM posthorn.message WHERE due_at IS NULL ORDER BY queue_id, priority LIMIT 1)
  UNION ALL
  SELECT n.queue_id, n.priority
  FROM lane AS l
  CROSS JOIN LATERAL (
    SELECT m.queue_id, m.priority FROM posthorn.message AS m
    WHERE m.due_at IS NULL AND (m.queue_id, m.priority) > (l.queue_id, l.priority)
    ORDER BY m.queue_id, m.priority LIMIT 1
  ) AS n
)
SELECT queue_id::text, priority::text FROM lane WHERE queue_id % $2::int = ANY ($1::int[])
