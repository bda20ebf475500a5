-- Ordered queues: a delayed message that is due takes its place behind those already in line. Its new transaction id is
-- that place, so it holds through any takeover. The same for messages with a priority, left from before the queue was
-- ordered. What is left in other slices comes into this one first (fold). Along message_due and message_lane, then the primary key. Harmless from a node that has lost the shard: it
-- fixes no start, and what another has promoted while this one waited for the row is left where it is.
WITH d AS MATERIALIZED (
  SELECT m.org_id, m.id
  FROM unnest($1::int[]) AS q (queue_id)
  CROSS JOIN LATERAL (
    (SELECT x.org_id, x.id FROM posthorn.message AS x
     WHERE x.queue_id = q.queue_id AND x.due_at IS NOT NULL AND x.due_at <= now() AND x.lane < 10
     ORDER BY x.due_at, x.id LIMIT $2::int)
    UNION ALL
    (SELECT x.org_id, x.id FROM posthorn.message AS x
     WHERE x.queue_id = q.queue_id AND x.due_at IS NULL AND x.lane BETWEEN 1 AND 9
     ORDER BY x.lane, x.xid, x.id LIMIT $2::int)
  ) AS m
)
UPDATE posthorn.message AS m
SET due_at = NULL, lane = 0, scheduled_at = coalesce(m.scheduled_at, m.due_at), xid = pg_current_xact_id()
FROM d
WHERE m.org_id = ANY (ARRAY[d.org_id]) AND m.id = d.id
  AND m.lane < 10 AND (m.due_at <= now() OR (m.due_at IS NULL AND m.lane BETWEEN 1 AND 9))
