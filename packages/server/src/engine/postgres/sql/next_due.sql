-- When the next delayed message of each queue is due: one hop along message_due a queue.
SELECT q.queue_id::text, floor(extract(epoch FROM m.due_at) * 1000)::bigint::text
FROM unnest($1::int[], $2::float8[], $3::bigint[]) AS q (queue_id, due, id)
CROSS JOIN LATERAL (
  SELECT x.due_at FROM posthorn.message AS x
  WHERE x.queue_id = q.queue_id AND x.due_at IS NOT NULL AND (x.due_at, x.id) > (to_timestamp(q.due / 1000), q.id)
  ORDER BY x.due_at, x.id LIMIT 1
) AS m
