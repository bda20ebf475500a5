-- Queues that have delayed messages, with the first due time of each: hops along message_due.
WITH RECURSIVE q (queue_id, due_at) AS (
  (SELECT queue_id, due_at FROM posthorn.message WHERE due_at IS NOT NULL ORDER BY queue_id, due_at LIMIT 1)
  UNION ALL
  SELECT n.queue_id, n.due_at
  FROM q AS l
  CROSS JOIN LATERAL (
    SELECT m.queue_id, m.due_at FROM posthorn.message AS m
    WHERE m.due_at IS NOT NULL AND m.queue_id > l.queue_id
    ORDER BY m.queue_id, m.due_at LIMIT 1
  ) AS n
)
SELECT queue_id::text, floor(extract(epoch FROM due_at) * 1000)::bigint::text
FROM q WHERE queue_id % $2::int = ANY ($1::int[])
