-- Which of these ids a cron has or had: of a deleted one, its messages tell. Primary key, message_cron, message_done_cron.
SELECT i.id FROM unnest($1::int[]) AS i (id)
WHERE EXISTS (SELECT FROM posthorn.cron AS c WHERE c.id = i.id)
  OR EXISTS (SELECT FROM posthorn.message AS m WHERE m.cron_id = i.id)
  OR EXISTS (SELECT FROM posthorn.message_done AS d WHERE d.cron_id = i.id)
