-- Crons, held until the transaction ends, and the database's clock once they are. By id, as by everybody who holds
-- several. Primary key.
WITH held AS MATERIALIZED (
  SELECT id, org_id, queue_id, schedule, time_zone, body, headers, misfire, priority, paused_at, next_at, message_id
  FROM posthorn.cron WHERE org_id = $1::int AND id = ANY ($2::int[]) ORDER BY id FOR UPDATE
)
SELECT held.*, clock_timestamp() AS now FROM held
