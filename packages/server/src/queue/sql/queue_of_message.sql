-- The queue of a message, live or settled. Primary keys of both tables.
SELECT queue_id FROM posthorn.message WHERE org_id = $1::int AND id = $2::bigint
UNION ALL
SELECT queue_id FROM posthorn.message_done WHERE org_id = $1::int AND id = $2::bigint
LIMIT 1
