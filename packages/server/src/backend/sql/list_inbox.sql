-- What a stand-in was given within a day, the newest first. Primary key, from its end.
SELECT entry FROM posthorn.inbox
WHERE org_id = $1::int AND service_id = $2::int AND at > now() - interval '1 day'
ORDER BY id DESC LIMIT $3::int
