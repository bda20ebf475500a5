-- Ordered queues that have pinned messages: the partial index message_pinned is nearly always empty. Sorted inside, by what
-- that index alone gives in order; the shards are looked at outside, since the index on queues would serve them too.
WITH pinned AS MATERIALIZED (
  SELECT queue_id FROM posthorn.message WHERE pin IS NOT NULL ORDER BY queue_id, pin
)
SELECT DISTINCT queue_id::text FROM pinned WHERE queue_id % $2::int = ANY ($1::int[])
