-- For a look beforehand: which of these tables are there. Catalogue only.
SELECT to_regclass($1::text) IS NOT NULL AS queue, to_regclass($2::text) IS NOT NULL AS imported
