-- In pg-hooks' database: what waits, and what was handed over. There is no index: one pass over the messages.
SELECT count(*) FILTER (WHERE sent_at IS NULL) AS pending,
       count(*) FILTER (WHERE sent_at IS NULL AND "when" > now() AT TIME ZONE 'UTC' AND retries = 0 AND cron_id IS NULL) AS delayed,
       count(*) FILTER (WHERE sent_at IS NULL AND retries > 0) AS retried,
       count(*) FILTER (WHERE sent_at IS NULL AND retries = 0 AND cron_id IS NOT NULL) AS ticks,
       count(*) FILTER (WHERE sent_at IS NOT NULL) AS handed_over,
       coalesce(sum(id::bigint) FILTER (WHERE sent_at IS NOT NULL), 0)::text AS handed_over_sum
FROM messages WHERE NOT failed AND (sent_at IS NULL OR sent_at = '9999-12-31 00:00:00')
