-- Slices that are no more, since a queue is spread over fewer: what waits in one ($3 queue, $4 slice) moves, up to $8 ready
-- and $8 delayed ones beyond the place $6, $7, to those that are ($5 of them). Its new transaction id lets the sweep of their
-- owners find it. Along message_lane and message_due, then the primary key. Fenced: whoever has lost the shard ($1, $2)
-- must not take from under its next owner what that one may be sending again.
WITH fence AS MATERIALIZED (
  SELECT s.id FROM posthorn.shard AS s WHERE s.id = $1::smallint AND s.epoch = $2::bigint FOR SHARE
), ready AS MATERIALIZED (
  SELECT x.org_id, x.id FROM posthorn.message AS x
  WHERE x.queue_id = $3::int AND x.due_at IS NULL AND x.lane BETWEEN 10 * $4::int AND 10 * $4::int + 9
  ORDER BY x.lane, x.xid, x.id LIMIT $8::int
), delayed AS MATERIALIZED (
  SELECT x.org_id, x.id, x.due_at FROM posthorn.message AS x
  WHERE x.queue_id = $3::int AND x.due_at IS NOT NULL AND (x.due_at, x.id) > (to_timestamp($6::float8 / 1000), $7::bigint)
    AND x.lane / 10 = $4::int
  ORDER BY x.due_at, x.id LIMIT $8::int
), moved AS (
  UPDATE posthorn.message AS m
  SET lane = m.lane % 10 + 10 * (m.id % $5::int), xid = pg_current_xact_id()
  FROM (SELECT org_id, id FROM ready UNION ALL SELECT org_id, id FROM delayed) AS d
  WHERE m.org_id = ANY (ARRAY[d.org_id]) AND m.id = d.id AND m.lane / 10 = $4::int AND EXISTS (SELECT FROM fence)
  RETURNING m.id
)
SELECT (SELECT count(*) FROM ready)::text, (SELECT count(*) FROM delayed)::text,
  (SELECT floor(extract(epoch FROM due_at) * 1000)::bigint FROM delayed ORDER BY due_at DESC, id DESC LIMIT 1)::text,
  (SELECT id FROM delayed ORDER BY due_at DESC, id DESC LIMIT 1)::text,
  (SELECT count(*) FROM fence)::text
