-- A span whose partitions were made in this same transaction. Primary key of `span`.
INSERT INTO posthorn.span (lo, hi) VALUES ($1::bigint, $2::bigint)
