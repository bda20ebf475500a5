-- The messages of ticks to come, as if they had never been stored; one that is due already stays. Primary key of
-- `message`. The payloads go with them: their own, or the copies that a change of a message made (a later id).
WITH gone AS (
  DELETE FROM posthorn.message AS m
  WHERE m.org_id = $1::int AND m.id = ANY ($2::bigint[]) AND m.attempts = 0 AND m.claim IS NULL
    AND m.due_at > clock_timestamp()
  RETURNING m.queue_id, m.id, m.payload_id
), emptied AS (
  DELETE FROM posthorn.payload AS p USING gone AS g
  WHERE p.id = g.payload_id AND g.payload_id >= g.id
)
INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM gone
