-- Waits until every settle of these shards that has begun has ended: each shares its shards' rows until then. Taken and
-- given back in one statement. In id order, as settles and takeovers lock them. Primary key of `shard`.
SELECT FROM posthorn.shard WHERE id = ANY ($1::smallint[]) ORDER BY id FOR NO KEY UPDATE
