-- Everything that became visible since the last snapshot: rows of transactions that ran then ($2), or began since (≥ $1).
-- Exact, whatever the order of commits; the index on xid makes it cost what is new, however many rows are dead.
-- $3 the shards asked for, $4 their number, $5 transactions of this node's own puts, which were handed over in memory.
WITH s AS MATERIALIZED (
  SELECT pg_snapshot_xmin(x)::text AS xmin, pg_snapshot_xmax(x)::text AS xmax,
    (SELECT string_agg(i::text, ',') FROM pg_snapshot_xip(x) AS i) AS xip,
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text AS now
  FROM pg_current_snapshot() AS x
), fresh AS MATERIALIZED (
  SELECT queue_id, lane, xid, due_at FROM posthorn.message WHERE xid = ANY ($2::xid8[])
  UNION ALL
  SELECT queue_id, lane, xid, due_at FROM posthorn.message WHERE xid >= $1::xid8
), news AS MATERIALIZED (
  SELECT kind, queue_id, message_id FROM posthorn.change WHERE xid = ANY ($2::xid8[])
  UNION ALL
  SELECT kind, queue_id, message_id FROM posthorn.change WHERE xid >= $1::xid8
)
SELECT 's', xmin, xmax, xip, now FROM s
UNION ALL
SELECT 'm', queue_id::text, lane::text,
  (min(xid::text::bigint) FILTER (WHERE due_at IS NULL))::text,
  (floor(extract(epoch FROM min(due_at)) * 1000))::bigint::text
FROM fresh
WHERE (queue_id + lane / 10 * 39) % $4::int = ANY ($3::int[]) AND xid NOT IN (SELECT unnest($5::xid8[]))
GROUP BY queue_id, lane
UNION ALL
SELECT 'c', kind, queue_id::text, message_id::text, NULL FROM news
