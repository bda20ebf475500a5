-- Crons that are held, written anew. Not one that got so late meanwhile (its deadline) that the tick which it gave up may
-- have been sent. Primary key.
UPDATE posthorn.cron AS c
SET queue_id = u.queue_id, schedule = u.schedule, time_zone = u.time_zone, body = u.body, headers = u.headers,
    misfire = u.misfire, priority = u.priority, next_at = u.next_at, message_id = u.message_id, paused_at = u.paused_at,
    version = c.version + 1, updated_at = now()
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[],
            $9::timestamptz[], $10::bigint[], $11::timestamptz[], $12::timestamptz[])
  AS u (id, queue_id, schedule, time_zone, body, headers, misfire, priority, next_at, message_id, paused_at, deadline)
WHERE c.id = u.id AND (u.deadline IS NULL OR clock_timestamp() < u.deadline)
RETURNING c.id
