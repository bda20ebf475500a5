-- What must outlive the span [$1, $2): l live messages (their attempts and payloads), d settled ones that are dead or
-- were settled within $3 ms or the longer time of their queue, p payloads that a message outside of the span refers to. At
-- most $4 rows. Without a queue: its attempts need not stay; without a payload: nor need its body.
-- Found by indexes alone, however large the span: the primary key of message (hopping from org to org), message_payload,
-- message_done_payload, message_done_rare and message_done_late, which has all that was settled an hour after it was put;
-- and message_done_queue for queues that keep messages longer: all of theirs stay, also those whose time is nearly over.
WITH RECURSIVE org (id) AS (
  (SELECT org_id FROM posthorn.message ORDER BY org_id LIMIT 1)
  UNION ALL
  SELECT n.org_id FROM org AS o
  CROSS JOIN LATERAL (SELECT m.org_id FROM posthorn.message AS m WHERE m.org_id > o.id ORDER BY m.org_id LIMIT 1) AS n
), long AS MATERIALIZED (
  SELECT id, message_retention_ms AS ms,
    coalesce(body_retention_ms, $3::float8) > $3::float8 AS keeps_bodies,
    coalesce(attempt_retention_ms, $3::float8) > $3::float8 AS keeps_attempts
  FROM posthorn.queue WHERE message_retention_ms > $3::float8
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
  SELECT 'd', org_id, queue_id, id, payload_id FROM posthorn.message_done AS d
  WHERE id >= $1::bigint AND id < $2::bigint AND outcome <> 'x' AND done_at - created_at > interval '1 hour'
    AND done_at >= now() - interval '1 ms' * greatest($3::float8, (SELECT max(ms) FROM long))
    AND done_at >= now() - interval '1 ms' * greatest($3::float8, (SELECT ms FROM long AS q WHERE q.id = d.queue_id))
  UNION ALL
  SELECT 'd', d.org_id, CASE WHEN q.keeps_attempts THEN d.queue_id END, d.id, CASE WHEN q.keeps_bodies THEN d.payload_id END
  FROM long AS q
  CROSS JOIN LATERAL (
    SELECT * FROM posthorn.message_done AS x
    WHERE x.queue_id = q.id AND x.id >= $1::bigint AND x.id < $2::bigint
      AND x.outcome <> 'x' AND NOT x.done_at - x.created_at > interval '1 hour'
  ) AS d
  UNION ALL
  SELECT 'p', NULL, NULL, NULL, payload_id FROM posthorn.message
  WHERE payload_id <> id AND payload_id >= $1::bigint AND payload_id < $2::bigint
  UNION ALL
  SELECT 'p', NULL, NULL, NULL, payload_id FROM posthorn.message_done
  WHERE payload_id <> id AND payload_id >= $1::bigint AND payload_id < $2::bigint
    AND NOT (id >= $1::bigint AND id < $2::bigint)
) AS s LIMIT $4::int
