-- Queues deleted within a day that still have live messages: one hop along message_queue (queue_id, id) for each of them.
SELECT q.id FROM posthorn.queue AS q
WHERE q.deleted_at > now() - interval '1 day' AND EXISTS (SELECT FROM posthorn.message AS m WHERE m.queue_id = q.id)
