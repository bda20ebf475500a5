-- Removes messages ($2, of org $1, all in [$4, $5]) whose time is over, unless they were settled anew since (after $3) or are
-- dead: with their attempts, and with the payloads that nobody refers to any more, first those that they were put with, then
-- the few that they have from elsewhere. Primary keys, attempt_message, message_payload, message_done_payload. Payloads are
-- shared within an org only. What a resend has just made live again is not in `gone`, and keeps its payload.
WITH gone AS (
  DELETE FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = ANY ($2::bigint[]) AND d.id >= $4::bigint AND d.id <= $5::bigint
    AND d.done_at <= $3::timestamptz AND d.outcome <> 'x'
  RETURNING d.queue_id, d.id, d.payload_id
), tried AS (
  DELETE FROM posthorn.attempt AS a USING gone AS g
  WHERE a.queue_id = g.queue_id AND a.message_id = g.id AND a.message_id >= $4::bigint AND a.message_id <= $5::bigint
), own AS (
  DELETE FROM posthorn.payload AS p USING gone AS g
  WHERE p.id = g.id AND p.id >= $4::bigint AND p.id <= $5::bigint
    AND NOT EXISTS (SELECT FROM posthorn.message AS m WHERE m.payload_id = g.id AND m.payload_id <> m.id)
    AND NOT EXISTS (
      SELECT FROM posthorn.message_done AS d
      WHERE d.payload_id = g.id AND d.payload_id <> d.id AND NOT EXISTS (SELECT FROM gone AS o WHERE o.id = d.id))
), others AS (
  SELECT DISTINCT g.payload_id AS id FROM gone AS g
  WHERE g.payload_id <> g.id AND NOT EXISTS (SELECT FROM gone AS o WHERE o.id = g.payload_id)
), lent AS (
  DELETE FROM posthorn.payload AS p USING others AS c
  WHERE p.id = c.id
    AND NOT EXISTS (SELECT FROM posthorn.message AS m WHERE m.payload_id = c.id AND m.payload_id <> m.id)
    AND NOT EXISTS (
      SELECT FROM posthorn.message_done AS d
      WHERE d.payload_id = c.id AND d.payload_id <> d.id AND NOT EXISTS (SELECT FROM gone AS o WHERE o.id = d.id))
    AND NOT EXISTS (
      SELECT FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = c.id AND m.payload_id = m.id)
    AND NOT EXISTS (
      SELECT FROM posthorn.message_done AS d WHERE d.org_id = $1::int AND d.id = c.id AND d.payload_id = d.id)
)
SELECT count(*)::text FROM gone
