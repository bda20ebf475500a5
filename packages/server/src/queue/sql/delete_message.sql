-- A message and what is known of it, live or settled: primary keys of both tables, attempt_message.
-- Its payloads go too, the one it was put with and the one it has, unless another message refers to them (a dead letter and
-- what it was forwarded from share one): message_payload, message_done_payload.
WITH live AS (
  DELETE FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = $2::bigint RETURNING m.queue_id, m.id, m.payload_id
), settled AS (
  DELETE FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = $2::bigint RETURNING d.queue_id, d.id, d.payload_id
), gone AS (
  SELECT * FROM live UNION ALL SELECT * FROM settled
), tried AS (
  DELETE FROM posthorn.attempt AS a USING gone AS g WHERE a.queue_id = g.queue_id AND a.message_id = g.id
), emptied AS (
  DELETE FROM posthorn.payload AS p USING (SELECT id FROM gone UNION SELECT payload_id FROM gone) AS c
  WHERE p.id = c.id
    AND NOT EXISTS (
      SELECT FROM posthorn.message AS m WHERE m.payload_id = c.id AND m.payload_id <> m.id AND m.id <> $2::bigint)
    AND NOT EXISTS (
      SELECT FROM posthorn.message_done AS d WHERE d.payload_id = c.id AND d.payload_id <> d.id AND d.id <> $2::bigint)
    AND NOT EXISTS (
      SELECT FROM posthorn.message AS m
      WHERE c.id <> $2::bigint AND m.org_id = $1::int AND m.id = c.id AND m.payload_id = m.id)
    AND NOT EXISTS (
      SELECT FROM posthorn.message_done AS d
      WHERE c.id <> $2::bigint AND d.org_id = $1::int AND d.id = c.id AND d.payload_id = d.id)
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM live
)
SELECT id FROM gone
