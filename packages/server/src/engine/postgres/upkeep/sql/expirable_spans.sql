-- Ranges of ids whose messages are removed one by one once they are older than $1 ms: what is below all spans ("_old"),
-- and spans that ids have reached. Not those that filled within a day (or $1, if that is less): they are about to leave as
-- a whole, which costs next to nothing. One that has not left that long after its time (too much in it must be kept) is
-- walked after all.
WITH b AS (
  SELECT lo, hi, full_at,
    coalesce((SELECT full_at FROM posthorn.span AS before WHERE before.hi = s.lo), created_at) AS begun_at
  FROM posthorn.span AS s
  WHERE lo <= (SELECT last_value FROM posthorn.message_id)
), t AS (
  SELECT $1::float8 * interval '1 ms' AS retention, least($1::float8 * interval '1 ms', interval '24 hours') AS patience
)
SELECT $2::bigint AS lo, coalesce(min(lo), 0) AS hi FROM posthorn.span
UNION ALL
SELECT lo, hi FROM b, t
WHERE full_at IS NULL OR full_at - begun_at > patience OR full_at < now() - retention - interval '1 hour' - patience
ORDER BY 1
