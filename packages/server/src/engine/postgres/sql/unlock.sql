-- Gives shards back: whoever asks next has them.
SELECT pg_advisory_unlock($1::int, s.id) FROM unnest($2::int[]) AS s (id)
