-- Relies on nothing: reads the control file and the position of the log of writes.
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) AS bytes FROM pg_control_checkpoint()
