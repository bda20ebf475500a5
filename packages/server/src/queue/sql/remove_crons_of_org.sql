-- Up to $2 crons of an org go. Along cron_org.
DELETE FROM posthorn.cron WHERE id IN (SELECT id FROM posthorn.cron WHERE org_id = $1::int ORDER BY id LIMIT $2::int)
RETURNING id
