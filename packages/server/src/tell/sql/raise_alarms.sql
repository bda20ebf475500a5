-- Raises the alarm of a kind ($1) for those of these queues ($2) that have none, and gives those. Its primary key decides
-- between nodes that do so at once. One that another node has raised goes over to this one ($3), and is not given.
WITH moved AS (
  UPDATE posthorn.alarm SET node = $3::text WHERE kind = $1::text AND queue_id = ANY ($2::int[]) AND node <> $3::text
), raised AS (
  INSERT INTO posthorn.alarm (kind, queue_id, node)
  SELECT $1::text, id, $3::text FROM posthorn.queue WHERE id = ANY ($2::int[]) AND deleted_at IS NULL ORDER BY id
  ON CONFLICT (kind, queue_id) DO NOTHING
  RETURNING queue_id, raised_at
)
SELECT r.queue_id, r.raised_at, now() AS now, q.org_id, q.name, q.paused_at, q.backlog_age_limit_ms
FROM raised AS r JOIN posthorn.queue AS q ON q.id = r.queue_id
