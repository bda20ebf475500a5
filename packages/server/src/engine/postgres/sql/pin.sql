-- Fixes the order of messages that are about to start although an older transaction still runs and might yet put
-- something before them. Fenced: FOR SHARE waits for a takeover under way and then sees its epoch. Primary key of `message`.
WITH fence AS MATERIALIZED (
  SELECT s.id FROM posthorn.shard AS s WHERE s.id = $1::smallint AND s.epoch = $2::bigint FOR SHARE
), n AS MATERIALIZED (
  SELECT $5::int AS org_id, $3::int AS queue_id, i.id, nextval('posthorn.message_pin') AS pin
  FROM unnest($4::bigint[]) AS i (id)
)
UPDATE posthorn.message AS m SET pin = coalesce(m.pin, n.pin)
FROM n
WHERE m.org_id = ANY (ARRAY[n.org_id]) AND m.id = n.id AND m.queue_id IS NOT DISTINCT FROM n.queue_id
  AND EXISTS (SELECT FROM fence)
RETURNING m.id::text
