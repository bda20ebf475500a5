-- The oldest live messages of a queue are stopped, each on record with the same reason. Along message_queue (queue_id, id).
-- Rows that a settle is just removing are passed over, so neither waits for the other.
WITH picked AS (
  SELECT org_id, id FROM posthorn.message WHERE queue_id = $1::int ORDER BY id LIMIT $2::int FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM posthorn.message AS m USING picked AS p
  WHERE m.org_id = p.org_id AND m.id = p.id AND m.queue_id = $1::int
  RETURNING m.*
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority, reason,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, 'c', attempts, lane % 10, $3::text,
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id) SELECT 'purge', $1::int WHERE EXISTS (SELECT FROM gone)
)
SELECT count(*) AS moved FROM gone
