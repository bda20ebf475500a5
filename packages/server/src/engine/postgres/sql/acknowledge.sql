-- Pull: done. Only whoever still holds the claim can say so. Primary key of `message`.
WITH u AS MATERIALIZED (
  SELECT q.org_id, q.id AS queue_id, c.id, c.claim
  FROM posthorn.queue AS q CROSS JOIN unnest($2::bigint[], $3::uuid[]) AS c (id, claim) WHERE q.id = $1::int
), gone AS (
  DELETE FROM posthorn.message AS m USING u
  WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.queue_id IS NOT DISTINCT FROM u.queue_id
    AND m.claim = u.claim
  RETURNING m.*
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, 'd', attempts, lane % 10,
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version)
  SELECT id, queue_id, attempts, now(), 0, 'd', 0 FROM gone
)
SELECT id::text FROM gone
