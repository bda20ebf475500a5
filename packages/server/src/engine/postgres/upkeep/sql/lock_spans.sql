-- Spans are made and retired by one at a time; the lock ends with the transaction.
SELECT pg_advisory_xact_lock($1::int, $2::int)
