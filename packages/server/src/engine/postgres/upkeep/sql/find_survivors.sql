-- What must outlive the span [$1, $2): l live messages (their attempts and payloads), d settled ones that are dead or
-- were settled within $3 ms, p payloads that a message outside of the span refers to. At most $4 rows.
-- Found by indexes alone, however large the span: the primary key of message (hopping from org to org), message_payload,
-- message_done_payload, message_done_rare and message_done_late. The latter has all that was settled an hour after it was put.
WITH RECURSIVE org (id) AS (
  (SELECT org_id FROM posthorn.message ORDER BY org_id LIMIT 1)
  UNION ALL
  SELECT n.org_id FROM org AS o
  CROSS JOIN LATERAL (SELECT m.org_id FROM posthorn.message AS m WHERE m.org_id > o.id ORDER BY m.org_id LIMIT 1) AS n
)
SELECT s.* FROM (
  SELECT 'l' AS kind, m.org_id, m.queue_id, m.id, m.payload_id
  FROM org AS o
  CROSS JOIN LATERAL (
    SELECT * FROM posthorn.message AS x WHERE x.org_id = o.id AND x.id >= $1::bigint AND x.id < $2::bigint
  ) AS m
  UNION ALL
  SELECT 'd', org_id, queue_id, id, payload_id FROM posthorn.message_done
  WHERE id >= $1::bigint AND id < $2::bigint AND outcome <> 'd' AND outcome = 'x'
  UNION ALL
  SELECT 'd', org_id, queue_id, id, payload_id FROM posthorn.message_done
  WHERE id >= $1::bigint AND id < $2::bigint AND outcome <> 'x' AND done_at - created_at > interval '1 hour'
    AND done_at >= now() - $3::float8 * interval '1 ms'
  UNION ALL
  SELECT 'p', NULL, NULL, NULL, payload_id FROM posthorn.message
  WHERE payload_id <> id AND payload_id >= $1::bigint AND payload_id < $2::bigint
  UNION ALL
  SELECT 'p', NULL, NULL, NULL, payload_id FROM posthorn.message_done
  WHERE payload_id <> id AND payload_id >= $1::bigint AND payload_id < $2::bigint
    AND NOT (id >= $1::bigint AND id < $2::bigint)
) AS s LIMIT $4::int
