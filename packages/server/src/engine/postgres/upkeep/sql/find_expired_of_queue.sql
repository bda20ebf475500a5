-- As find_expired, of one queue: of its next $3 messages after id $2, those that were settled for $4 ms, but no dead ones.
-- "settling" is the first message put less than $5 ms before that: some of those that follow it may not be settled yet.
-- Along message_done_queue, partition by partition.
WITH page AS MATERIALIZED (
  SELECT d.id, d.done_at,
    d.created_at >= now() - $4::float8 * interval '1 ms' AND d.created_at <= now() AS is_young,
    d.created_at >= now() - ($4::float8 + $5::float8) * interval '1 ms' AND d.created_at <= now() AS is_fresh,
    d.done_at <= now() - $4::float8 * interval '1 ms' AND d.outcome <> 'x' AS is_over
  FROM posthorn.message_done AS d
  WHERE d.queue_id = $1::int AND d.id > $2::bigint
  ORDER BY d.id LIMIT $3::int
)
SELECT count(*)::text AS seen, max(id)::text AS last, (min(id) FILTER (WHERE is_young))::text AS reached,
  (array_agg(id ORDER BY id) FILTER (WHERE is_over))::text AS over, (max(done_at) FILTER (WHERE is_over))::text AS until,
  (min(id) FILTER (WHERE is_fresh))::text AS settling
FROM page
