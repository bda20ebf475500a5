-- In pg-hooks' database: what was handed over, in the order of ids, without its contents. Walks the primary key.
SELECT id::bigint AS id, coalesce(octet_length(body), 0) + coalesce(octet_length(headers::text), 0) AS bytes,
       (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM messages WHERE id > $1::bigint AND sent_at = '9999-12-31 00:00:00' AND NOT failed ORDER BY id LIMIT $2::int
