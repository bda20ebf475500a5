-- Removes payloads ($2, of org $1, held) that no message needs: none that lives, none that is dead, none whose queue keeps
-- bodies for longer than it has been settled ($3 ms where a queue says nothing). Asked after they were held, so that what was
-- made live before that is seen. Primary keys, message_payload, message_done_payload.
WITH c AS (
  SELECT unnest($2::bigint[]) AS id
), users AS (
  SELECT c.id, d.done_at, d.outcome, d.queue_id FROM c
  CROSS JOIN LATERAL (
    SELECT * FROM posthorn.message_done AS o WHERE o.payload_id = c.id AND o.payload_id <> o.id
    UNION ALL
    SELECT * FROM posthorn.message_done AS o WHERE o.org_id = $1::int AND o.id = c.id AND o.payload_id = o.id
  ) AS d
), needed AS (
  SELECT u.id FROM users AS u JOIN posthorn.queue AS q ON q.id = u.queue_id
  WHERE u.outcome = 'x' OR u.done_at > now() - interval '1 ms' * least(
    coalesce(q.body_retention_ms, $3::float8), coalesce(q.message_retention_ms, $3::float8))
), gone AS (
  DELETE FROM posthorn.payload AS p
  WHERE p.id = ANY ($2::bigint[]) AND p.id <> ALL (ARRAY(SELECT id FROM needed))
    AND NOT EXISTS (SELECT FROM posthorn.message AS m WHERE m.payload_id = p.id AND m.payload_id <> m.id)
    AND NOT EXISTS (
      SELECT FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = p.id AND m.payload_id = m.id)
  RETURNING 1
)
SELECT count(*)::text FROM gone
