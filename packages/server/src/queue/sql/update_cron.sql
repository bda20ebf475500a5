-- A cron that is held, written anew. Not if it got so late meanwhile ($11) that the tick it gave up may have been sent.
UPDATE posthorn.cron
SET queue_id = $2::int, schedule = $3::text, time_zone = $4::text, body = $5::text, headers = $6::text, misfire = $7::text,
    priority = $8::smallint, next_at = $9::timestamptz, message_id = $10::bigint, paused_at = $12::timestamptz,
    version = version + 1, updated_at = now()
WHERE id = $1::int AND ($11::timestamptz IS NULL OR clock_timestamp() < $11::timestamptz)
RETURNING id
