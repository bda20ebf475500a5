-- Queues that must stay while crons are written for them: deleting one waits for this lock, and then sees the crons.
SELECT id, ordered FROM posthorn.queue WHERE org_id = $1::int AND id = ANY ($2::int[]) AND deleted_at IS NULL
ORDER BY id FOR SHARE
