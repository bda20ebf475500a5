-- Crons whose first ticks have their messages already, in the same transaction.
INSERT INTO posthorn.cron (id, org_id, queue_id, schedule, time_zone, body, headers, misfire, priority, next_at, message_id)
SELECT id, $1::int, queue_id, schedule, time_zone, body, headers, misfire, priority, next_at, message_id
FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::smallint[],
            $10::timestamptz[], $11::bigint[])
  AS u (id, queue_id, schedule, time_zone, body, headers, misfire, priority, next_at, message_id)
