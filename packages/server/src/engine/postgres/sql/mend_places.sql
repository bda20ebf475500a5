-- After a restore into a server that has counted fewer transactions: places from the old server's count lie ahead of the
-- new one, where every sweep would find them and no order would ever be fixed. They move behind the present, in their
-- order (the oldest share a place if there is no room, and go by id). A row that can be seen never lies ahead otherwise,
-- so this touches nothing else, whoever puts meanwhile. One look at message_xid and change_xid if there is nothing to mend.
WITH here AS MATERIALIZED (
  SELECT pg_snapshot_xmax(pg_current_snapshot()) AS xmax, pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin
), told AS (
  DELETE FROM posthorn.change WHERE xid >= (SELECT xmax FROM here)
), ahead AS (
  SELECT org_id, id, dense_rank() OVER (ORDER BY xid DESC) AS back
  FROM posthorn.message WHERE xid >= (SELECT xmax FROM here)
)
UPDATE posthorn.message AS m SET xid = greatest(1, here.xmin - a.back)::text::xid8
FROM ahead AS a, here WHERE m.org_id = a.org_id AND m.id = a.id
