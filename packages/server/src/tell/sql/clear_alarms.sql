-- Ends the alarm of a kind ($1) for those of these queues ($2) that have one, and gives those. Of two nodes that do so at
-- once, one deletes the row. Primary key of `alarm`.
WITH cleared AS (
  DELETE FROM posthorn.alarm WHERE kind = $1::text AND queue_id = ANY ($2::int[]) RETURNING queue_id, raised_at
)
SELECT c.queue_id, c.raised_at, now() AS now, q.org_id, q.name, q.deleted_at, q.backlog_age_limit_ms
FROM cleared AS c JOIN posthorn.queue AS q ON q.id = c.queue_id
