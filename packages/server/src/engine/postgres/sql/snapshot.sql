-- Taken before the first scan of a node: whatever commits later is found by the sweeps from here on.
SELECT pg_snapshot_xmin(x)::text, pg_snapshot_xmax(x)::text,
  (SELECT string_agg(i::text, ',') FROM pg_snapshot_xip(x) AS i),
  floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint::text
FROM pg_current_snapshot() AS x
