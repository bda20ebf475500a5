-- Heartbeat and view in one: how many sessions hold the membership lock (key $2), and which shards are locked by anyone.
-- pg_locks takes its partitions' locks for a moment; a node asks a few times a second.
SELECT count(*) FILTER (WHERE objid = $2::bigint)::text,
  string_agg(objid::text, ',') FILTER (WHERE objid < $2::bigint)
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = ($1::bigint & 4294967295)
