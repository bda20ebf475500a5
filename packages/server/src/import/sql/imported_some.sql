-- Which of these messages were imported before. Primary key.
SELECT old_id, old_created_us FROM posthorn.imported
WHERE source_id = $1::int AND kind = 'm' AND old_id = ANY ($2::bigint[])
