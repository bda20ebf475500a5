-- How many rows of the live table ($1 schema) are dead by the statistics, and how many were there at its last vacuum.
SELECT coalesce(s.n_dead_tup, 0) AS dead, greatest(c.reltuples, 0)::bigint AS live
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = $1::text
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relname = 'message' AND c.relkind = 'r'
