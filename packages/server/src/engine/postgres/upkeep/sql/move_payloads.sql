-- Copies payloads ($1) of the span [$2, $3) to "_old", which is detached. Primary key of its partition.
INSERT INTO posthorn.payload_old
SELECT p.* FROM unnest($1::bigint[]) AS k (id)
JOIN posthorn.payload AS p ON p.id = k.id AND p.id >= $2::bigint AND p.id < $3::bigint
