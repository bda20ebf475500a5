-- Of the next $5 messages of org $3 after id $4 in the range [$1, $2): those that were settled for more than $6 ms, but no
-- dead ones, and none of queues that have a rule of their own. Along the primary keys of message_done and queue.
-- "reached" is the first message that was put within that time (by a clock that was right): what follows was settled later still.
WITH page AS MATERIALIZED (
  SELECT d.id, d.done_at,
    d.created_at >= now() - $6::float8 * interval '1 ms' AND d.created_at <= now() AS is_young,
    d.done_at < now() - $6::float8 * interval '1 ms' AND d.outcome <> 'x' AND NOT EXISTS (
      SELECT FROM posthorn.queue AS q WHERE q.id = d.queue_id AND q.message_retention_ms IS NOT NULL) AS is_over
  FROM posthorn.message_done AS d
  WHERE d.org_id = $3::int AND d.id > $4::bigint AND d.id >= $1::bigint AND d.id < $2::bigint
  ORDER BY d.id LIMIT $5::int
)
SELECT count(*)::text AS seen, max(id)::text AS last, (min(id) FILTER (WHERE is_young))::text AS reached,
  (array_agg(id ORDER BY id) FILTER (WHERE is_over))::text AS over, (max(done_at) FILTER (WHERE is_over))::text AS until
FROM page
