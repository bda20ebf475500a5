-- When the next delayed message of each slice is due: one hop along message_due, past those of the other slices.
SELECT q.ord::text, floor(extract(epoch FROM m.due_at) * 1000)::bigint::text
FROM unnest($1::int[], $2::float8[], $3::bigint[], $4::smallint[]) WITH ORDINALITY AS q (queue_id, due, id, slice, ord)
CROSS JOIN LATERAL (
  SELECT x.due_at FROM posthorn.message AS x
  WHERE x.queue_id = q.queue_id AND x.due_at IS NOT NULL AND (x.due_at, x.id) > (to_timestamp(q.due / 1000), q.id)
    AND x.lane / 10 = q.slice
  ORDER BY x.due_at, x.id LIMIT 1
) AS m
