-- In pg-hooks' database: the lock of the one process that sends. Its number is the same in every installation.
SELECT pg_try_advisory_lock(42) AS leads
