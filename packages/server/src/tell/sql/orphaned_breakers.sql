-- Queues ($1 shards in all) whose breaker was told to be open by a node that no longer serves any slice of them, while those
-- that have served them for a while ($2 ms) have not said so again: a breaker starts afresh with its slice's owner. And
-- deleted ones. Few rows, and the primary keys of the others.
SELECT a.queue_id
FROM posthorn.alarm AS a
JOIN posthorn.queue AS q ON q.id = a.queue_id
WHERE a.kind = 'breaker'
  AND (q.deleted_at IS NOT NULL OR NOT EXISTS (
    SELECT FROM generate_series(0, q.spread - 1) AS n (slice)
    JOIN posthorn.shard AS s ON s.id = (a.queue_id + n.slice * 39) % $1::int
    WHERE s.owner IS NULL OR s.owner = a.node OR s.taken_at >= now() - $2::float8 * interval '1 ms'
  ))
