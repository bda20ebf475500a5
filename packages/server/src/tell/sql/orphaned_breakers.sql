-- Queues ($1 shards in all) whose breaker was told to be open by a node that no longer serves them, while the one that has
-- served them for a while ($2 ms) has not said so again: a breaker starts afresh with its queue's owner. And deleted ones.
-- Few rows, and the primary keys of the others.
SELECT a.queue_id
FROM posthorn.alarm AS a
JOIN posthorn.queue AS q ON q.id = a.queue_id
JOIN posthorn.shard AS s ON s.id = a.queue_id % $1::int
WHERE a.kind = 'breaker'
  AND (q.deleted_at IS NOT NULL OR (s.owner <> a.node AND s.taken_at < now() - $2::float8 * interval '1 ms'))
