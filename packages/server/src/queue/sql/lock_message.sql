-- A live message, held until the transaction ends, and whether its queue is ordered. Primary keys.
SELECT m.id, m.queue_id, m.payload_id, q.ordered
FROM posthorn.message AS m JOIN posthorn.queue AS q ON q.id = m.queue_id
WHERE m.org_id = $1::int AND m.id = $2::bigint
FOR UPDATE OF m
