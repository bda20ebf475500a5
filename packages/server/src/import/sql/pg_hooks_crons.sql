-- In pg-hooks' database: all crons, and whether a message of each waits (or waited, before it was handed over): without one
-- it never fires. There is no index on cron_id: one pass over the messages.
SELECT c.id, c.queue_id, c.schedule, c.body, c.headers, (extract(epoch FROM c.created_at) * 1000000)::bigint AS created_us,
       w.cron_id IS NOT NULL AS waits
FROM crons AS c LEFT JOIN (
  SELECT DISTINCT cron_id FROM messages
  WHERE cron_id IS NOT NULL AND NOT failed AND (sent_at IS NULL OR sent_at = '9999-12-31 00:00:00')
) AS w ON w.cron_id = c.id
ORDER BY c.id
