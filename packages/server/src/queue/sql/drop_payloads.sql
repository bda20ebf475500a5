-- Payloads ($2, of org $1) that messages have just given up go, where no other refers to them: message_payload,
-- message_done_payload, primary keys.
DELETE FROM posthorn.payload AS p
WHERE p.id = ANY ($2::bigint[])
  AND NOT EXISTS (SELECT FROM posthorn.message AS m WHERE m.payload_id = p.id AND m.payload_id <> m.id)
  AND NOT EXISTS (SELECT FROM posthorn.message_done AS d WHERE d.payload_id = p.id AND d.payload_id <> d.id)
  AND NOT EXISTS (SELECT FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = p.id AND m.payload_id = m.id)
  AND NOT EXISTS (SELECT FROM posthorn.message_done AS d WHERE d.org_id = $1::int AND d.id = p.id AND d.payload_id = d.id)
