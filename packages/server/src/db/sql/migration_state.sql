-- Relies on to_regnamespace and to_regclass giving NULL for what is not there.
SELECT to_regnamespace($1) IS NOT NULL AS has_schema, to_regclass($1 || '.migration') IS NOT NULL AS has_table
