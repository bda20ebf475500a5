-- Settled messages become live again under their ids: their attempts go on counting, their retries begin anew (forgiven).
-- The new transaction id is their place in the lane and lets the sweep find them. An expiry that has passed is dropped.
-- $3 the outcomes that may be revived. Not without a body, nor on a queue that is deleted. Primary key of message_done.
-- Records are held before their bodies, as by all that takes both away; and bodies before they are needed: retention that is
-- just removing one is waited for, and then there is none.
WITH held AS MATERIALIZED (
  SELECT d.id, d.payload_id FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = ANY ($2::bigint[]) ORDER BY d.id FOR UPDATE
), body AS MATERIALIZED (
  SELECT p.id FROM held AS h JOIN posthorn.payload AS p ON p.id = h.payload_id FOR KEY SHARE OF p
), gone AS (
  DELETE FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = ANY ($2::bigint[]) AND d.outcome::text = ANY ($3::text[])
    AND d.expunged_at IS NULL AND d.payload_id = ANY (ARRAY(SELECT id FROM body))
    AND EXISTS (SELECT FROM posthorn.queue AS q WHERE q.id = d.queue_id AND q.deleted_at IS NULL)
  RETURNING d.*
)
INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, created_at, attempts, forgiven, lane, scheduled_at,
                              expires_at, key, cron_id, origin_id)
SELECT org_id, queue_id, id, payload_id, created_at, attempts, attempts,
       priority + 10 * (id % (SELECT q.spread FROM posthorn.queue AS q WHERE q.id = gone.queue_id)), scheduled_at,
       CASE WHEN expires_at > now() THEN expires_at END, key, cron_id, origin_id
FROM gone ORDER BY id
RETURNING id
