-- A live message is stopped and goes on record; its owner hears of it. Primary key of `message`. Taken from under an
-- attempt that is under way: that one's settle finds nothing to change and records the attempt.
WITH gone AS (
  DELETE FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = $2::bigint RETURNING m.*
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority, reason,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, 'c', attempts, lane % 10, $3::text,
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM gone
)
SELECT id FROM gone
