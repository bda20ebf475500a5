-- The next org after $3 whose first message in the range [$1, $2) was put longer than $4 ms ago: hops from org to org
-- along the primary key of message_done. A message put later was settled later, so the others have nothing to expire.
WITH RECURSIVE hop (org_id, is_old) AS (
  (SELECT d.org_id, d.created_at < now() - $4::float8 * interval '1 ms' OR d.created_at > now()
   FROM posthorn.message_done AS d
   WHERE d.org_id > $3::int AND d.id >= $1::bigint AND d.id < $2::bigint
   ORDER BY d.org_id, d.id LIMIT 1)
  UNION ALL
  SELECT n.org_id, n.is_old
  FROM hop AS h
  CROSS JOIN LATERAL (
    SELECT d.org_id, d.created_at < now() - $4::float8 * interval '1 ms' OR d.created_at > now() AS is_old
    FROM posthorn.message_done AS d
    WHERE d.org_id > h.org_id AND d.id >= $1::bigint AND d.id < $2::bigint
    ORDER BY d.org_id, d.id LIMIT 1
  ) AS n
  WHERE NOT h.is_old
)
SELECT org_id::text FROM hop WHERE is_old
