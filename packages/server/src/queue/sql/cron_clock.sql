-- The database's clock, and when the next tick is due: the first entry of cron_next. Crons of a detached function's queue
-- stand still, as if nothing ran.
SELECT clock_timestamp() AS now, (
  SELECT c.next_at FROM posthorn.cron AS c JOIN posthorn.queue AS q ON q.id = c.queue_id AND q.deleted_at IS NULL
    AND (q.function IS NULL OR q.attached_at IS NOT NULL)
  WHERE c.next_at IS NOT NULL ORDER BY c.next_at, c.id LIMIT 1
) AS next_at
