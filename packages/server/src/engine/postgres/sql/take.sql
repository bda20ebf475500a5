-- Makes all earlier tenures of these shards void. Waits for settles under way (they hold FOR SHARE), and everything that
-- reads after this commit sees what they settled. Rows are locked in id order, as settles do: no deadlock.
WITH s AS (
  SELECT id, epoch FROM posthorn.shard WHERE id = ANY ($1::smallint[]) ORDER BY id FOR UPDATE
)
UPDATE posthorn.shard AS t SET epoch = t.epoch + 1, owner = $2::text, taken_at = now()
FROM s WHERE t.id = s.id
RETURNING t.id::text, t.epoch::text, s.epoch::text
