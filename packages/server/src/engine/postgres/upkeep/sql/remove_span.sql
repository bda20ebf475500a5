-- A span whose partitions are dropped in this same transaction. Primary key of `span`.
DELETE FROM posthorn.span WHERE lo = $1::bigint
