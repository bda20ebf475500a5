-- Notes of changes that every node has long heard of: nodes look every second. Along change_created.
WITH old AS (
  SELECT ctid FROM posthorn.change WHERE created_at < now() - interval '1 hour' ORDER BY created_at LIMIT $1::int
), gone AS (
  DELETE FROM posthorn.change WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1
)
SELECT count(*) AS removed FROM gone
