-- Removes what has been settled for more than $6 ms from the next $5 messages of org $3 after id $4 in the range [$1, $2),
-- but no dead ones: with their attempts, and with the payloads that nobody refers to any more. Along the primary key of
-- message_done, attempt_message, the primary keys of payload and message, message_payload and message_done_payload.
-- Payloads are shared within an org only. What a resend has just made live again is not in `gone`, and keeps its payload.
-- "over": the page reached messages put within that time (by a clock that was right); what follows was settled later still.
WITH page AS MATERIALIZED (
  SELECT org_id, id, created_at, done_at, outcome FROM posthorn.message_done
  WHERE org_id = $3::int AND id > $4::bigint AND id >= $1::bigint AND id < $2::bigint
  ORDER BY id LIMIT $5::int
), gone AS (
  DELETE FROM posthorn.message_done AS d USING page AS p
  WHERE p.done_at < now() - $6::float8 * interval '1 ms' AND p.outcome <> 'x'
    AND d.org_id = p.org_id AND d.id = p.id AND d.id >= $1::bigint AND d.id < $2::bigint
  RETURNING d.org_id, d.queue_id, d.id, d.payload_id
), tried AS (
  DELETE FROM posthorn.attempt AS a USING gone AS g
  WHERE a.queue_id = g.queue_id AND a.message_id = g.id AND a.message_id >= $1::bigint AND a.message_id < $2::bigint
), candidates AS (
  SELECT org_id, id, payload_id = id AS own FROM gone
  UNION
  SELECT org_id, payload_id, false FROM gone WHERE payload_id <> id
), emptied AS (
  DELETE FROM posthorn.payload AS p USING candidates AS c
  WHERE p.id = c.id
    AND NOT EXISTS (SELECT FROM posthorn.message AS m WHERE m.payload_id = c.id AND m.payload_id <> m.id)
    AND NOT EXISTS (
      SELECT FROM posthorn.message_done AS d
      WHERE d.payload_id = c.id AND d.payload_id <> d.id AND NOT EXISTS (SELECT FROM gone AS g WHERE g.id = d.id))
    AND (c.own OR NOT EXISTS (
      SELECT FROM posthorn.message AS m WHERE m.org_id = c.org_id AND m.id = c.id AND m.payload_id = m.id))
    AND (c.own OR NOT EXISTS (
      SELECT FROM posthorn.message_done AS d WHERE d.org_id = c.org_id AND d.id = c.id AND d.payload_id = d.id
        AND NOT EXISTS (SELECT FROM gone AS g WHERE g.id = d.id)))
)
SELECT count(*)::text, max(id)::text,
  coalesce(bool_or(created_at >= now() - $6::float8 * interval '1 ms' AND created_at <= now()), true)::text,
  (SELECT count(*) FROM gone)::text
FROM page
