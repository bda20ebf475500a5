-- What sessions have marked that is not as ours: another lock key for this schema, another schema at this lock key. Marks of
-- schemas have their highest bit set, no other lock has.
SELECT
  min(objid::bigint) FILTER (WHERE classid = ($1::bigint & 4294967295) AND objid <> ($2::bigint & 4294967295))::text,
  bool_or(classid = ($2::bigint & 4294967295) AND objid > 2147483647 AND objid <> ($3::bigint & 4294967295))::text
FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid IN ($1::bigint & 4294967295, $2::bigint & 4294967295)
