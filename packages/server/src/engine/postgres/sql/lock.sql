-- Locks those of these shards that are free; waits for none.
SELECT s.id::text FROM unnest($2::int[]) AS s (id) WHERE pg_try_advisory_lock($1::int, s.id)
