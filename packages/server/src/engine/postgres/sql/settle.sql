-- Outcomes of every kind: d delivered, r retried at, i retried in place, x dead, e expired, c cancelled. Fenced and deleted
-- as in settle_delivered.
-- What the receiver said is kept with a message that was found: one taken away meanwhile may have been expunged.
-- A dead message is forwarded to its dead letter queue in the same commit, sharing the payload, if that queue still is and takes messages (a
-- function's queue without a backend does not, and the reason then says so); and
-- so is its death told by a message on another queue ($20, $21).
WITH fence AS MATERIALIZED (
  SELECT f.tenure FROM posthorn.shard AS s
  JOIN unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS f (id, epoch, tenure) ON s.id = f.id AND s.epoch = f.epoch
  ORDER BY s.id FOR SHARE OF s
), u AS MATERIALIZED (
  SELECT * FROM unnest($3::int[], $4::int[], $5::int[], $6::bigint[], $7::smallint[], $8::float8[], $9::int[],
                       $10::smallint[], $11::int[], $12::text[], $13::boolean[], $14::text[], $15::text[],
                       $16::"char"[], $17::float8[], $18::text[], $19::int[], $20::int[], $21::text[])
    AS u (tenure, org_id, queue_id, id, before, started, duration_ms, status, version, excerpt, recorded, error_code,
          error, verdict, at, reason, dead_letter_queue_id, notice_queue_id, notice)
), kept AS (
  UPDATE posthorn.message AS m
  SET attempts = m.attempts + CASE WHEN u.started IS NULL THEN 0 ELSE 1 END,
      due_at = CASE WHEN u.verdict = 'r' THEN to_timestamp(u.at / 1000) END,
      retry_at = CASE WHEN u.verdict = 'i' THEN to_timestamp(u.at / 1000) END
  FROM u
  WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.attempts = u.before AND u.verdict IN ('r', 'i')
    AND u.tenure = ANY (ARRAY(SELECT tenure FROM fence))
  RETURNING m.id
), gone AS (
  DELETE FROM posthorn.message AS m USING u
  WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.attempts = u.before AND u.verdict NOT IN ('r', 'i')
    AND u.tenure = ANY (ARRAY(SELECT tenure FROM fence))
  RETURNING m.*, u.verdict, u.reason, u.dead_letter_queue_id, u.started, u.notice_queue_id, u.notice
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority, reason,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, verdict, attempts + CASE WHEN started IS NULL THEN 0 ELSE 1 END,
         lane % 10,
         coalesce(reason || CASE WHEN verdict = 'x' AND dead_letter_queue_id IS NOT NULL THEN (
           SELECT '; not forwarded: queue ' || q.id || ' has no backend' FROM posthorn.queue AS q
           WHERE q.id = gone.dead_letter_queue_id AND q.function IS NOT NULL AND q.attached_at IS NULL
         ) END, reason),
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), forwarded AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, key, origin_id)
  SELECT g.org_id, q.id, nextval('posthorn.message_id'), g.payload_id, g.key, g.id
  FROM gone AS g JOIN posthorn.queue AS q ON q.id = g.dead_letter_queue_id AND q.org_id = g.org_id AND q.deleted_at IS NULL
    AND (q.function IS NULL OR q.attached_at IS NOT NULL)
  WHERE g.verdict = 'x'
  RETURNING queue_id
), told AS MATERIALIZED (
  SELECT nextval('posthorn.message_id') AS id, q.org_id, q.id AS queue_id, g.notice
  FROM gone AS g JOIN posthorn.queue AS q ON q.id = g.notice_queue_id AND q.deleted_at IS NULL
), told_payload AS (
  INSERT INTO posthorn.payload (id, body) SELECT id, notice FROM told
), told_message AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id) SELECT org_id, queue_id, id, id FROM told
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, status, outcome, queue_version,
                                error_code, error, excerpt)
  SELECT u.id, u.queue_id, u.before + 1, to_timestamp(u.started / 1000), u.duration_ms, u.status,
         CASE WHEN u.verdict = 'i' THEN 'r' ELSE u.verdict END, u.version, u.error_code, u.error,
         CASE WHEN u.id IN (SELECT id FROM gone UNION ALL SELECT id FROM kept) THEN u.excerpt END
  FROM u
  WHERE u.started IS NOT NULL AND u.recorded IS NOT TRUE
)
SELECT 'f', tenure::text FROM fence
UNION ALL
SELECT 'q', queue_id::text FROM forwarded
UNION ALL
SELECT 'q', queue_id::text FROM told
UNION ALL
SELECT 'x', id::text FROM gone WHERE verdict = 'x'
