-- Into how many runs of ascending ids the lines of ordered queues fall, beyond the first, among rows of transactions from
-- this one minus $1 on; the most of any queue. Reads all of them: once after a restore.
WITH f AS (
  SELECT m.queue_id, m.id < lag(m.id) OVER (PARTITION BY m.queue_id ORDER BY m.xid, m.id) AS breaks
  FROM posthorn.message AS m JOIN posthorn.queue AS q ON q.id = m.queue_id AND q.ordered <> 'none'
  WHERE m.xid >= (pg_current_xact_id()::text::bigint - $1::bigint)::text::xid8 AND m.due_at IS NULL
)
SELECT coalesce(max(n), 0) AS runs FROM (SELECT count(*) FILTER (WHERE breaks) AS n FROM f GROUP BY queue_id) AS q
