-- In pg-hooks' database: all queues. Few rows.
SELECT id, name, callback_url, method, headers, dead_letter_queue_id, max_retries,
       (extract(epoch FROM created_at) * 1000000)::bigint AS created_us
FROM queues ORDER BY id
