-- A queue is marked deleted, and queues whose dead letters went to it have none any more. Primary key, queue_dead_letter.
WITH gone AS (
  UPDATE posthorn.queue SET deleted_at = now(), updated_at = now(), version = version + 1
  WHERE org_id = $1::int AND id = $2::int AND deleted_at IS NULL
  RETURNING id
), orphaned AS (
  UPDATE posthorn.queue AS q SET dead_letter_queue_id = NULL, updated_at = now(), version = q.version + 1
  FROM gone WHERE q.dead_letter_queue_id = gone.id AND q.id <> gone.id
  RETURNING q.id
)
INSERT INTO posthorn.change (kind, queue_id)
SELECT 'queue', id FROM gone UNION ALL SELECT 'queue', id FROM orphaned
