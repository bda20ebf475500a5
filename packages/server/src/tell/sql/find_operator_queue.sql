-- The queue of an org ($1) with this id ($2) or else this name ($3; of several, the oldest), and where its dead letters go,
-- to the end. UNION ends a circle. Reads the org's queues by index `queue_org`; asked at changes and twice a minute.
WITH RECURSIVE found AS (
  SELECT id, dead_letter_queue_id FROM posthorn.queue
  WHERE org_id = $1::int AND deleted_at IS NULL AND (id = $2::int OR name = $3::text)
  ORDER BY id IS NOT DISTINCT FROM $2::int DESC, id LIMIT 1
), line (id, next) AS (
  SELECT id, dead_letter_queue_id FROM found
  UNION
  SELECT q.id, q.dead_letter_queue_id
  FROM line AS l JOIN posthorn.queue AS q ON q.id = l.next AND q.deleted_at IS NULL
)
SELECT line.id, line.id = found.id AS is_target FROM line, found
