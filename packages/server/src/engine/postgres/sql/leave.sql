-- No longer a worker, though its shards may still be draining.
SELECT pg_advisory_unlock_shared($1::int, $2::int)
