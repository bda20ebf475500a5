-- What a message of a cron is made of now. Primary keys.
SELECT c.org_id, c.queue_id, c.body, c.headers, CASE WHEN q.ordered = 'none' THEN c.priority ELSE 0 END AS priority,
       CASE WHEN q.attached_at IS NULL THEN q.function END AS detached
FROM posthorn.cron AS c JOIN posthorn.queue AS q ON q.id = c.queue_id AND q.deleted_at IS NULL
WHERE c.org_id = $1::int AND c.id = $2::int
