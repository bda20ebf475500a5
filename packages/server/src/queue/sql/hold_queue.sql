-- A queue that must stay while a cron is written for it: deleting it waits for this lock, and then sees the cron.
SELECT ordered FROM posthorn.queue WHERE org_id = $1::int AND id = $2::int AND deleted_at IS NULL FOR SHARE
