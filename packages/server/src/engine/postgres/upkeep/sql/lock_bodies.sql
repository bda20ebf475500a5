-- The payloads of messages ($2, of org $1, all in [$4, $5]) that were settled by $3 and are not dead: held until the
-- transaction ends. One that a resend is just taking is passed over (queue/sql/revive_message.sql). Primary keys.
WITH over AS MATERIALIZED (
  SELECT d.id, d.payload_id FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = ANY ($2::bigint[]) AND d.id >= $4::bigint AND d.id <= $5::bigint
    AND d.done_at <= $3::timestamptz AND d.outcome <> 'x'
)
SELECT p.id::text
FROM (SELECT id FROM over UNION SELECT payload_id FROM over) AS c JOIN posthorn.payload AS p ON p.id = c.id
FOR UPDATE OF p SKIP LOCKED
