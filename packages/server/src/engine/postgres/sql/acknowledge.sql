-- Pull: done. Only whoever still holds the claim can say so. Primary key of `message`.
WITH u AS (
  SELECT * FROM unnest($2::bigint[], $3::uuid[]) AS u (id, claim)
), gone AS (
  DELETE FROM posthorn.message AS m USING u
  WHERE m.org_id = (SELECT org_id FROM posthorn.queue WHERE id = $1::int)
    AND m.id = u.id AND m.queue_id = $1::int AND m.claim = u.claim
  RETURNING m.*
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, 'd', attempts, priority,
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  SELECT id, queue_id, attempts, now(), 0, 'd', 0 FROM gone
)
SELECT id::text FROM gone
