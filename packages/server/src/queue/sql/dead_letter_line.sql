-- Where the dead letters of a queue ($2, of org $1) go, and where that queue's go, to the end. Runs under the lock of the
-- org's row, so that no other change can close a circle meanwhile; UNION ends it if there is one.
WITH RECURSIVE line (id, next) AS (
  SELECT q.id, q.dead_letter_queue_id FROM posthorn.queue AS q
  WHERE q.id = $2::int AND q.org_id = $1::int AND q.deleted_at IS NULL
  UNION
  SELECT q.id, q.dead_letter_queue_id FROM line AS l JOIN posthorn.queue AS q ON q.id = l.next
)
SELECT id FROM line
