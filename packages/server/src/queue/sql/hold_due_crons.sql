-- Those of these crons that nobody has changed or moved on since they were read, held until the transaction ends, with
-- what their messages are made of. One that another transaction is just changing is passed over: it comes up again.
-- Primary keys; by id, though nothing is waited for.
SELECT c.id, c.org_id, c.queue_id, c.body, c.headers, c.message_id,
       CASE WHEN q.ordered = 'none' THEN c.priority ELSE 0 END AS priority,
       EXISTS (
         SELECT FROM posthorn.message AS m
         WHERE m.org_id = c.org_id AND m.id = c.message_id AND m.attempts = 0 AND m.claim IS NULL
       ) AS waiting
FROM unnest($1::int[], $2::int[], $3::timestamptz[]) AS u (id, version, next_at)
JOIN posthorn.cron AS c ON c.id = u.id AND c.version = u.version AND c.next_at = u.next_at
JOIN posthorn.queue AS q ON q.id = c.queue_id AND q.deleted_at IS NULL
  AND (q.function IS NULL OR q.attached_at IS NOT NULL)
ORDER BY c.id
FOR NO KEY UPDATE OF c SKIP LOCKED
