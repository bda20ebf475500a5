-- A worker is whoever shares the membership lock. Nobody takes it exclusively, so this never waits.
SELECT pg_try_advisory_lock_shared($1::int, $2::int)
