-- Copies settled messages ($1 org, $2 id) of the span [$3, $4) to "_old", which is detached. Primary key of its partition.
INSERT INTO posthorn.message_done_old
SELECT d.* FROM unnest($1::int[], $2::bigint[]) AS k (org_id, id)
JOIN posthorn.message_done AS d ON d.org_id = k.org_id AND d.id = k.id AND d.id >= $3::bigint AND d.id < $4::bigint
