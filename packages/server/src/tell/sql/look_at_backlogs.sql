-- Queues with messages that could be sent and wait for longer than half of the queue's bound (its own, or $1; 0 is none):
-- for each lane and for what is overdue the first message, by hops along message_lane and message_due. So its cost is the
-- number of lanes, not of messages: for that its transaction allows nothing but indexes, or a plan made while little waited
-- would be kept, and read and sort everything for each lane.
-- A message sent again stands in its lane since it was, which its xid alone tells: `revived` says so, and `since` does not.
WITH RECURSIVE l (queue_id, lane, xid, since, revived) AS (
  (SELECT queue_id, lane, xid, greatest(created_at, scheduled_at), forgiven > 0
   FROM posthorn.message WHERE due_at IS NULL ORDER BY queue_id, lane, xid, id LIMIT 1)
  UNION ALL
  SELECT n.queue_id, n.lane, n.xid, n.since, n.revived
  FROM l
  CROSS JOIN LATERAL (
    SELECT m.queue_id, m.lane, m.xid, greatest(m.created_at, m.scheduled_at) AS since, m.forgiven > 0 AS revived
    FROM posthorn.message AS m
    WHERE m.due_at IS NULL AND (m.queue_id, m.lane) > (l.queue_id, l.lane)
    ORDER BY m.queue_id, m.lane, m.xid, m.id LIMIT 1
  ) AS n
), overdue (queue_id, due_at) AS (
  (SELECT queue_id, due_at FROM posthorn.message WHERE due_at IS NOT NULL ORDER BY queue_id, due_at LIMIT 1)
  UNION ALL
  SELECT n.queue_id, n.due_at
  FROM overdue AS o
  CROSS JOIN LATERAL (
    SELECT m.queue_id, m.due_at FROM posthorn.message AS m
    WHERE m.due_at IS NOT NULL AND m.queue_id > o.queue_id
    ORDER BY m.queue_id, m.due_at LIMIT 1
  ) AS n
), waiting AS (
  SELECT queue_id, lane, xid::text AS xid, since, revived FROM l
  UNION ALL
  SELECT queue_id, NULL, NULL, due_at, false FROM overdue
)
SELECT w.queue_id, w.lane, w.xid, w.revived, q.limit_ms,
       floor(extract(epoch FROM clock_timestamp() - w.since) * 1000)::float8 AS age_ms
FROM waiting AS w
CROSS JOIN LATERAL (
  SELECT coalesce(backlog_age_limit_ms, $1::int) AS limit_ms FROM posthorn.queue
  WHERE id = w.queue_id AND deleted_at IS NULL LIMIT 1
) AS q
WHERE q.limit_ms > 0 AND w.since < clock_timestamp() - q.limit_ms / 2 * interval '1 ms'
