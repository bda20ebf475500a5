-- In pg-hooks' database: processes of pg-hooks that run. The session of each asks for the lock every ten seconds, or has just
-- begun to listen. Sessions whose statements we may not read are not recognized.
SELECT count(*) AS sessions FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name NOT LIKE 'posthorn%'
  AND query ~* '(pg_try_advisory_lock\s*\([^,]*\)\s*as\s+leader|listen\s+"update_timer")'
