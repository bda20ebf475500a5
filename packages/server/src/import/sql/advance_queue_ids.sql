-- Ids up to this one are not drawn any more. The sequence tells its own oid, whatever the schema is called.
SELECT setval(tableoid::regclass, greatest(last_value, $1::bigint)) FROM posthorn.queue_id_seq
