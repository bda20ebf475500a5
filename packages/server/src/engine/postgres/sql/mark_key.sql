-- Says that nodes of this schema ($1) use this lock key ($2), and that nodes at this lock key are of this schema ($3). All of its
-- nodes share both, and nobody takes them exclusively, so this never waits.
SELECT pg_try_advisory_lock_shared($1::int, $2::int), pg_try_advisory_lock_shared($2::int, $3::int)
