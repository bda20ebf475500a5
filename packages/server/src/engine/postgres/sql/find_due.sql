-- Slices that may have delayed messages, with the first due time of the queue: hops along message_due from queue to queue.
-- Which slice the first one is in, the slice that looks for it finds out. Primary key of `queue`.
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
SELECT q.queue_id::text, s.slice::text, floor(extract(epoch FROM q.due_at) * 1000)::bigint::text
FROM q
CROSS JOIN LATERAL (SELECT x.slices FROM posthorn.queue AS x WHERE x.id = q.queue_id LIMIT 1) AS x
CROSS JOIN LATERAL generate_series(0, x.slices - 1) AS s (slice)
WHERE (q.queue_id + s.slice * 39) % $2::int = ANY ($1::int[])
