-- Crons whose tick is due, the longest due first, from a place on, along cron_next. None of a queue that takes nothing.
SELECT c.id, c.schedule, c.time_zone, c.misfire, c.next_at, c.version, clock_timestamp() AS now,
       coalesce(octet_length(c.body), 0) + coalesce(octet_length(c.headers), 0) AS size
FROM posthorn.cron AS c JOIN posthorn.queue AS q ON q.id = c.queue_id AND q.deleted_at IS NULL
  AND (q.function IS NULL OR q.attached_at IS NOT NULL)
WHERE c.next_at <= now() AND (c.next_at, c.id) > ($1::timestamptz, $2::int)
ORDER BY c.next_at, c.id LIMIT $3::int
