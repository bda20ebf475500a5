-- A span whose partitions were exchanged in this same transaction. Primary key of `span`.
UPDATE posthorn.span SET thinned_at = now() WHERE lo = $1::bigint
