-- The hot settle: delivered messages leave the live table for the history, with their attempt, in one statement.
-- Fenced per shard: FOR SHARE waits for a takeover under way and, re-reading the row, misses on its new epoch; those
-- messages stay, their attempts are recorded all the same (but for those of an earlier try, $13), without what the receiver
-- said: a message that is not found may have been expunged. Deletes go through the primary key. Of the partitions it
-- touches those that it inserts into: reading `attempt` here would lock them all.
WITH fence AS MATERIALIZED (
  SELECT f.tenure FROM posthorn.shard AS s
  JOIN unnest($1::smallint[], $2::bigint[]) WITH ORDINALITY AS f (id, epoch, tenure) ON s.id = f.id AND s.epoch = f.epoch
  ORDER BY s.id FOR SHARE OF s
), u AS MATERIALIZED (
  SELECT * FROM unnest($3::int[], $4::int[], $5::int[], $6::bigint[], $7::smallint[], $8::float8[], $9::int[],
                       $10::smallint[], $11::int[], $12::text[], $13::boolean[])
    AS u (tenure, org_id, queue_id, id, before, started, duration_ms, status, version, excerpt, recorded)
), gone AS (
  DELETE FROM posthorn.message AS m USING u
  WHERE m.org_id = ANY (ARRAY[u.org_id]) AND m.id = u.id AND m.attempts = u.before AND u.tenure = ANY (ARRAY(SELECT tenure FROM fence))
  RETURNING m.*
), done AS (
  INSERT INTO posthorn.message_done (org_id, queue_id, id, payload_id, created_at, outcome, attempts, priority,
                                     scheduled_at, expires_at, key, cron_id, origin_id)
  SELECT org_id, queue_id, id, payload_id, created_at, 'd', attempts + 1, lane % 10,
         scheduled_at, expires_at, key, cron_id, origin_id
  FROM gone
), tried AS (
  INSERT INTO posthorn.attempt (message_id, queue_id, n, started_at, duration_ms, status, outcome, queue_version, excerpt)
  SELECT u.id, u.queue_id, u.before + 1, to_timestamp(u.started / 1000), u.duration_ms, u.status, 'd', u.version,
         CASE WHEN u.id IN (SELECT id FROM gone) THEN u.excerpt END
  FROM u WHERE u.recorded IS NOT TRUE
)
SELECT tenure::text FROM fence
