-- Those of these live messages that nobody is just changing or settling, held until the transaction ends, and whether
-- their queues are ordered. None is waited for while others are held, so nobody can wait for us in a circle.
-- Primary keys.
SELECT m.id, m.queue_id, m.payload_id, q.ordered
FROM posthorn.message AS m JOIN posthorn.queue AS q ON q.id = m.queue_id
WHERE m.org_id = $1::int AND m.id = ANY ($2::bigint[])
ORDER BY m.id
FOR UPDATE OF m SKIP LOCKED
