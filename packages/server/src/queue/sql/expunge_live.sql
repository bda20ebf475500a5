-- Live messages ($1 org, $2 ids) are stopped for good and go on record without what their callers called them; their owners
-- hear of it. Primary key of `message`. As with a cancel, the settle of an attempt under way finds nothing to change.
WITH gone AS (
  DELETE FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = ANY ($2::bigint[]) RETURNING m.*
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority, reason,
                                     scheduled_at, expires_at, cron_id, origin_id, expunged_at)
  SELECT org_id, queue_id, id, payload_id, created_at, 'c', attempts, lane % 10, 'expunged',
         scheduled_at, expires_at, cron_id, origin_id, now()
  FROM gone
)
INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM gone
