-- Notes where the id sequence stands ($1), once an hour, and forgets what is older than the look back needs.
-- $2: the sequence has jumped, so earlier marks say nothing of the rate.
WITH made AS (
  INSERT INTO posthorn.id_mark (last_id)
  SELECT $1::bigint
  WHERE $2::boolean OR NOT EXISTS (SELECT FROM posthorn.id_mark WHERE made_at > now() - interval '1 hour')
  ON CONFLICT (made_at) DO NOTHING
)
DELETE FROM posthorn.id_mark WHERE $2::boolean OR made_at < now() - interval '2 days'
