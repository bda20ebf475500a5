-- Gives the rows of transactions from this one minus $1 on an id from there up to this one's, run by run, so that within
-- an ordered queue (xid, id) sorts them as before. All others get the first: among them nothing depends on the order.
WITH f AS (
  SELECT m.org_id, m.id, m.xid, q.id IS NOT NULL AND m.due_at IS NULL AS in_line, m.queue_id
  FROM posthorn.message AS m LEFT JOIN posthorn.queue AS q ON q.id = m.queue_id AND q.ordered <> 'none'
  WHERE m.xid >= (pg_current_xact_id()::text::bigint - $1::bigint)::text::xid8
), broken AS (
  SELECT org_id, id, queue_id, xid, in_line,
    in_line AND id < lag(id) OVER (PARTITION BY queue_id, in_line ORDER BY xid, id) AS breaks
  FROM f
), numbered AS (
  SELECT org_id, id, in_line,
    count(*) FILTER (WHERE breaks) OVER (PARTITION BY queue_id, in_line ORDER BY xid, id) AS run
  FROM broken
)
UPDATE posthorn.message AS m
SET xid = (pg_current_xact_id()::text::bigint - $1::bigint + n.run)::text::xid8
FROM numbered AS n WHERE m.org_id = n.org_id AND m.id = n.id
