-- The attempts that messages had before they came here, in the transaction that stores them. Primary key.
UPDATE posthorn.message AS m SET attempts = i.attempts
FROM unnest($2::bigint[], $3::smallint[]) AS i (id, attempts) WHERE m.org_id = $1::int AND m.id = i.id
