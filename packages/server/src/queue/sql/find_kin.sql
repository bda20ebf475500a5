-- A message ($1 org, $2 id) and all that has or had its content: what it was forwarded from, its own dead letters, theirs,
-- and whoever shares a payload with one of them. Primary keys, message_origin, message_done_origin, message_payload and
-- message_done_payload: the last four hold few rows, so that asking every partition costs little.
-- There the org only checks: as a plain condition the planner would read all of the org's entries of the primary key too.
WITH RECURSIVE kin (id, queue_id, payload_id, origin_id, is_expunged) AS (
  SELECT id, queue_id, payload_id, origin_id, false FROM posthorn.message WHERE org_id = $1::int AND id = $2::bigint
  UNION
  SELECT id, queue_id, payload_id, origin_id, expunged_at IS NOT NULL FROM posthorn.message_done
  WHERE org_id = $1::int AND id = $2::bigint
  UNION
  SELECT n.* FROM kin AS k
  CROSS JOIN LATERAL (
    SELECT id, queue_id, payload_id, origin_id, false FROM posthorn.message
    WHERE org_id = $1::int AND id IN (k.origin_id, k.payload_id)
    UNION ALL
    SELECT id, queue_id, payload_id, origin_id, false FROM posthorn.message
    WHERE (org_id + 0) = $1::int AND origin_id = k.id AND origin_id IS NOT NULL
    UNION ALL
    SELECT id, queue_id, payload_id, origin_id, false FROM posthorn.message
    WHERE (org_id + 0) = $1::int AND payload_id IN (k.id, k.payload_id) AND payload_id <> id
    UNION ALL
    SELECT id, queue_id, payload_id, origin_id, expunged_at IS NOT NULL FROM posthorn.message_done
    WHERE org_id = $1::int AND id IN (k.origin_id, k.payload_id)
    UNION ALL
    SELECT id, queue_id, payload_id, origin_id, expunged_at IS NOT NULL FROM posthorn.message_done
    WHERE (org_id + 0) = $1::int AND origin_id = k.id AND origin_id IS NOT NULL
    UNION ALL
    SELECT id, queue_id, payload_id, origin_id, expunged_at IS NOT NULL FROM posthorn.message_done
    WHERE (org_id + 0) = $1::int AND payload_id IN (k.id, k.payload_id) AND payload_id <> id
  ) AS n
)
SELECT id, queue_id, payload_id, is_expunged FROM kin ORDER BY id
