-- In pg-hooks' database: messages that were handed over and still are. Primary key. Its times are UTC without saying so.
SELECT id::bigint AS id, queue_id, cron_id, CASE WHEN isfinite("when") THEN (extract(epoch FROM "when") * 1000)::float8 END AS due,
       body, headers, retries, (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM messages WHERE id = ANY ($1::bigint[]) AND sent_at = '9999-12-31 00:00:00' AND NOT failed ORDER BY id
