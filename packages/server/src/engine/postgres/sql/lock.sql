-- Locks those of these shards that are free; waits for none. A lock that this session holds would count up, and then one
-- unlock would not free it: such a shard is not free.
SELECT s.id::text FROM unnest($2::int[]) AS s (id)
WHERE CASE WHEN s.id IN (
  SELECT objid::bigint FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND pid = pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ($1::bigint & 4294967295)
) THEN false ELSE pg_try_advisory_lock($1::int, s.id) END
