-- Written in the transaction that imports: both are there, or neither. Who comes second fails on the primary key.
INSERT INTO posthorn.imported (source_id, kind, old_id, old_created_us, new_id, imported_at)
SELECT $1::int, $2::"char", i.old_id, i.created_us, i.new_id, coalesce($6::timestamptz, now())
FROM unnest($3::bigint[], $4::bigint[], $5::bigint[]) AS i (old_id, created_us, new_id)
