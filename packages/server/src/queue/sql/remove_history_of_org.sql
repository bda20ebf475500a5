-- Up to $2 settled messages of an org go, dead ones too, the oldest first from $3 on, with attempts and payloads. Before $3
-- stand the index entries of what is gone already, which nobody should walk again. Payloads are shared
-- within an org only, and of this one nothing stays: who else refers to them need not be asked. Primary keys, attempt_message.
WITH few AS MATERIALIZED (
  SELECT id FROM posthorn.message_done WHERE org_id = $1::int AND id > $3::bigint ORDER BY id LIMIT $2::int
), gone AS (
  DELETE FROM posthorn.message_done AS d
  WHERE d.org_id = $1::int AND d.id = ANY (ARRAY(SELECT id FROM few))
  RETURNING d.queue_id, d.id, d.payload_id
), tried AS (
  DELETE FROM posthorn.attempt AS a USING gone AS g WHERE a.queue_id = g.queue_id AND a.message_id = g.id
), emptied AS (
  DELETE FROM posthorn.payload AS p
  WHERE p.id = ANY (ARRAY(SELECT id FROM gone UNION SELECT payload_id FROM gone))
)
SELECT max(id) AS last FROM gone
