-- All that a deleted org has in this room; its queues stop by themselves once they are marked. Primary keys, by their first column.
WITH workers AS (
  DELETE FROM posthorn.worker WHERE org_id = $1::int
), templates AS (
  DELETE FROM posthorn.template WHERE org_id = $1::int
), backends AS (
  DELETE FROM posthorn.backend WHERE org_id = $1::int
)
DELETE FROM posthorn.service WHERE org_id = $1::int
