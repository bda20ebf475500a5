-- Leader is whoever holds one more lock. Asked for again by its holder it would count up, so that is asked first.
SELECT CASE WHEN EXISTS (
  SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND pid = pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid = ($1::bigint & 4294967295) AND objid = $2::bigint
) THEN true ELSE pg_try_advisory_lock($1::int, $2::int) END::text
