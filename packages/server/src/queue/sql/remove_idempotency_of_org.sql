-- Up to $2 idempotency keys of an org's queues go: queue_org, primary key.
DELETE FROM posthorn.idempotency AS i USING (
  SELECT k.queue_id, k.key FROM posthorn.queue AS q JOIN posthorn.idempotency AS k ON k.queue_id = q.id
  WHERE q.org_id = $1::int LIMIT $2::int
) AS few
WHERE i.queue_id = few.queue_id AND i.key = few.key
RETURNING 1
