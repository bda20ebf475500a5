-- News from before the dump: whoever starts now reads everything anew. Index change_xid.
DELETE FROM posthorn.change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
