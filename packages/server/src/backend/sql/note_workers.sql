-- How workers do, as their node saw it last; an error stays until there is another. Primary key; orgs that are gone are left out.
INSERT INTO posthorn.worker (queue_id, org_id, node, since, in_flight, last_error, last_error_at)
SELECT w.queue_id, w.org_id, $3::text, w.since, w.in_flight, w.last_error, w.last_error_at
FROM unnest($1::int[], $2::int[], $4::timestamptz[], $5::int[], $6::text[], $7::timestamptz[])
  AS w (queue_id, org_id, since, in_flight, last_error, last_error_at)
JOIN posthorn.org AS o ON o.id = w.org_id
ON CONFLICT (org_id, queue_id) DO UPDATE
SET node = excluded.node, since = excluded.since, in_flight = excluded.in_flight,
    last_error = coalesce(excluded.last_error, worker.last_error),
    last_error_at = coalesce(excluded.last_error_at, worker.last_error_at)
