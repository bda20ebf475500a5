-- What became of a source's queues ('q') or crons ('c'). Primary key; few rows.
SELECT old_id, old_created_us, new_id, imported_at FROM posthorn.imported WHERE source_id = $1::int AND kind = $2::"char"
