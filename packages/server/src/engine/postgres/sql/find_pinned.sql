-- Ordered queues that have pinned messages: the partial index message_pinned is nearly always empty.
SELECT DISTINCT queue_id::text FROM posthorn.message WHERE pin IS NOT NULL AND queue_id % $2::int = ANY ($1::int[])
