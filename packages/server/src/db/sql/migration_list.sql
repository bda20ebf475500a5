-- Relies on the primary key for the order; a few rows.
SELECT number, name, sha256, run_at FROM posthorn.migration ORDER BY number
