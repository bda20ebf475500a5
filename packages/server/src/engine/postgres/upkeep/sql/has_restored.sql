-- Whether there are rows whose transaction is yet to be: one hop each along message_xid and change_xid.
SELECT EXISTS (SELECT FROM posthorn.message WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
  OR EXISTS (SELECT FROM posthorn.change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())) AS found
