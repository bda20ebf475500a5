-- What deleting a cron would remove, and what of it stays: along message_cron and message_done_cron.
SELECT count(*) FILTER (WHERE kind = 'r') AS removed, count(*) FILTER (WHERE kind = 'p') AS pending,
       count(*) FILTER (WHERE kind = 'k') AS kept
FROM (
  SELECT CASE
    WHEN m.id = c.message_id AND m.attempts = 0 AND m.claim IS NULL AND m.due_at > now() THEN 'r' ELSE 'p'
  END AS kind
  FROM posthorn.cron AS c JOIN posthorn.message AS m ON m.cron_id = c.id WHERE c.id = $1::int
  UNION ALL
  SELECT 'k' FROM posthorn.message_done AS d WHERE d.cron_id = $1::int
) AS messages
