-- Pull: given up. Dead with its reason ($4), forwarded to the dead letter queue ($5), unless that takes none, and told on another ($6, $7) in the
-- same commit.
WITH u AS MATERIALIZED (
  SELECT q.org_id, q.id AS queue_id, c.id, c.claim, c.notice_queue_id, c.notice
  FROM posthorn.queue AS q
  CROSS JOIN unnest($2::bigint[], $3::uuid[], $6::int[], $7::text[]) AS c (id, claim, notice_queue_id, notice)
  WHERE q.id = $1::int
), gone AS (
  DELETE FROM posthorn.message AS m USING u
  WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.queue_id IS NOT DISTINCT FROM u.queue_id
    AND m.claim = u.claim
  RETURNING m.*, u.notice_queue_id, u.notice
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority, reason,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, 'x', attempts, lane % 10,
         coalesce($4::text || (
           SELECT '; not forwarded: queue ' || q.id || ' has no backend' FROM posthorn.queue AS q
           WHERE q.id = $5::int AND q.function IS NOT NULL AND q.attached_at IS NULL
         ), $4::text),
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), forwarded AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, key, origin_id)
  SELECT g.org_id, q.id, nextval('posthorn.message_id'), g.payload_id, g.key, g.id
  FROM gone AS g JOIN posthorn.queue AS q ON q.id = $5::int AND q.org_id = g.org_id AND q.deleted_at IS NULL
    AND (q.function IS NULL OR q.attached_at IS NOT NULL)
), told AS MATERIALIZED (
  SELECT nextval('posthorn.message_id') AS id, q.org_id, q.id AS queue_id, g.notice
  FROM gone AS g JOIN posthorn.queue AS q ON q.id = g.notice_queue_id AND q.deleted_at IS NULL
), told_payload AS (
  INSERT INTO posthorn.payload (id, body) SELECT id, notice FROM told
), told_message AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id) SELECT org_id, queue_id, id, id FROM told
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, outcome, queue_version, error)
  SELECT id, queue_id, attempts, now(), 0, 'x', 0, $4::text FROM gone
)
SELECT id::text FROM gone
