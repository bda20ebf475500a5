-- Up to $2 queues of an org go for good, $3 ms after they were marked, with what a late settle or an alarm left behind:
-- queue_org, attempt_message, primary key of alarm.
WITH few AS MATERIALIZED (
  SELECT id FROM posthorn.queue
  WHERE org_id = $1::int AND deleted_at < now() - $3::float8 * interval '1 ms' LIMIT $2::int
), tried AS (
  DELETE FROM posthorn.attempt WHERE queue_id = ANY (ARRAY(SELECT id FROM few))
), told AS (
  DELETE FROM posthorn.alarm WHERE queue_id = ANY (ARRAY(SELECT id FROM few))
)
DELETE FROM posthorn.queue WHERE id = ANY (ARRAY(SELECT id FROM few)) RETURNING id
