-- Up to $2 queues of an org are marked deleted, with the note that makes every node look. Along queue_org; rows that somebody
-- is just changing come next time.
WITH few AS (
  SELECT id FROM posthorn.queue WHERE org_id = $1::int AND deleted_at IS NULL LIMIT $2::int FOR UPDATE SKIP LOCKED
), gone AS (
  UPDATE posthorn.queue AS q
  SET deleted_at = now(), updated_at = now(), version = version + 1, dead_letter_queue_id = NULL, secrets = '{}'
  FROM few WHERE q.id = few.id RETURNING q.id
)
INSERT INTO posthorn.change (kind, queue_id) SELECT 'queue', id FROM gone RETURNING queue_id
