-- In pg-hooks' database, for a look beforehand: what waits, in the order of ids, without bodies. Walks the primary key.
SELECT id::bigint AS id, queue_id, cron_id, CASE WHEN isfinite("when") THEN (extract(epoch FROM "when") * 1000)::float8 END AS due,
       NULL AS body, headers, retries, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM messages WHERE id > $1::bigint AND sent_at IS NULL AND NOT failed ORDER BY id LIMIT $2::int
