-- The first messages of idempotency keys that were lost to an earlier put: read in a new snapshot, since the winner may
-- have committed after the put's own snapshot. Primary key of `idempotency`.
SELECT i.ord::text, k.message_id::text, encode(k.body_hash, 'hex')
FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS i (queue_id, key, ord)
JOIN posthorn.idempotency k ON k.queue_id = i.queue_id AND k.key = i.key
