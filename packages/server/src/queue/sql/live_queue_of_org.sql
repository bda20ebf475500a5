-- A queue of an org that has live messages: queue_org, and one hop along message_queue for each queue.
SELECT q.id FROM posthorn.queue AS q
WHERE q.org_id = $1::int AND EXISTS (SELECT FROM posthorn.message AS m WHERE m.queue_id = q.id)
LIMIT 1
