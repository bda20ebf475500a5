-- Crons that are held move on to the tick whose message was just stored. Primary key.
UPDATE posthorn.cron AS c SET next_at = u.next_at, message_id = u.message_id
FROM unnest($1::int[], $2::timestamptz[], $3::bigint[]) AS u (id, next_at, message_id)
WHERE c.id = u.id
