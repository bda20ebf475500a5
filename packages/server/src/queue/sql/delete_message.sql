-- A message and what is known of it, live or settled: primary keys of both tables, attempt_message.
-- Its payload goes too if it is its own: a borrowed one (a dead letter's, a fan-out's) has a lower id, and one that was
-- lent to a dead letter belonged to a message that has been dead.
WITH live AS (
  DELETE FROM posthorn.message AS m WHERE m.org_id = $1::int AND m.id = $2::bigint RETURNING m.queue_id, m.id, m.payload_id
), settled AS (
  DELETE FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = $2::bigint RETURNING d.queue_id, d.id, d.payload_id
), gone AS (
  SELECT * FROM live UNION ALL SELECT * FROM settled
), tried AS (
  DELETE FROM posthorn.attempt AS a USING gone AS g WHERE a.queue_id = g.queue_id AND a.message_id = g.id
  RETURNING a.outcome
), emptied AS (
  DELETE FROM posthorn.payload AS p USING gone AS g
  WHERE p.id = g.payload_id AND g.payload_id >= g.id AND NOT EXISTS (SELECT FROM tried WHERE outcome = 'x')
), noted AS (
  INSERT INTO posthorn.change (kind, queue_id, message_id) SELECT 'message', queue_id, id FROM live
)
SELECT id FROM gone
