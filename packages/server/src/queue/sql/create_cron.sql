-- A cron whose first tick has its message already, in the same transaction.
INSERT INTO posthorn.cron (id, org_id, queue_id, schedule, time_zone, body, headers, misfire, priority, next_at, message_id)
VALUES ($1::int, $2::int, $3::int, $4::text, $5::text, $6::text, $7::text, $8::text, $9::smallint, $10::timestamptz,
        $11::bigint)
