-- Relies on nothing: the lock is free when the transaction ends.
SELECT pg_advisory_xact_lock($1::integer, $2::integer)
