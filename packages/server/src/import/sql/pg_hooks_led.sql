-- In pg-hooks' database: whether somebody holds the lock of the one process that sends. Keys of one number are cut in two.
SELECT EXISTS (
  SELECT FROM pg_locks
  WHERE locktype = 'advisory' AND classid = 0 AND objid = 42 AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS held
