-- In pg-hooks' database: when its first migration ran. It goes with the data wherever that is moved. A table of a few rows.
SELECT version::text || ' ' || coalesce(name, '') || ' ' || (extract(epoch FROM run_at) * 1000)::bigint AS fingerprint
FROM versions WHERE run_at IS NOT NULL ORDER BY version LIMIT 1
