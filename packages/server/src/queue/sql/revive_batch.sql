-- The oldest dead messages of a queue become live again, as in revive_messages. Along message_done_rare
-- (queue_id, outcome, id), which holds no delivered message.
WITH picked AS (
  SELECT d.org_id, d.id FROM posthorn.message_done AS d
  WHERE d.queue_id = $1::int AND d.outcome = 'x'
    AND d.expunged_at IS NULL AND EXISTS (SELECT FROM posthorn.payload AS p WHERE p.id = d.payload_id)
  ORDER BY d.id LIMIT $2::int FOR UPDATE OF d SKIP LOCKED
), gone AS (
  DELETE FROM posthorn.message_done AS d USING picked AS p WHERE d.org_id = p.org_id AND d.id = p.id RETURNING d.*
), back AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, created_at, attempts, forgiven, lane, scheduled_at,
                                expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, attempts, attempts, priority + 10 * (id % spread), scheduled_at,
         CASE WHEN expires_at > now() THEN expires_at END, key, cron_id, origin_id
  FROM gone, (SELECT spread FROM posthorn.queue WHERE id = $1::int) AS q ORDER BY id
)
SELECT count(*) AS moved FROM gone
