-- Removes the attempts of messages ($2, of org $1, all in [$4, $5]) that are not dead and were not settled anew since (after
-- $3): one that was sent again has attempts that are younger. Primary key of message_done, attempt_message.
WITH gone AS (
  DELETE FROM posthorn.attempt AS a USING posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = ANY ($2::bigint[]) AND d.id >= $4::bigint AND d.id <= $5::bigint
    AND d.done_at <= $3::timestamptz AND d.outcome <> 'x'
    AND a.queue_id = d.queue_id AND a.message_id = d.id AND a.message_id >= $4::bigint AND a.message_id <= $5::bigint
  RETURNING 1
)
SELECT count(*)::text FROM gone
