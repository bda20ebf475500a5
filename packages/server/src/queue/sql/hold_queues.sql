-- Queues that must stay while crons are written for them: deleting one waits for this lock, and then sees the crons. `detached` is the
-- function of a queue that takes nothing until a service is attached.
SELECT id, ordered, CASE WHEN attached_at IS NULL THEN function END AS detached FROM posthorn.queue WHERE org_id = $1::int AND id = ANY ($2::int[]) AND deleted_at IS NULL
ORDER BY id FOR SHARE
