-- In pg-hooks' database: the columns of its tables, as the search path finds them. Catalogue only.
SELECT c.relname::text AS "table", array_agg(a.attname::text) AS columns
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid IN (to_regclass('queues'), to_regclass('crons'), to_regclass('messages'), to_regclass('versions'))
GROUP BY c.relname
