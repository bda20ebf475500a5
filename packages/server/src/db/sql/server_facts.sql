-- Relies on nothing: reads settings only.
SELECT current_setting('server_version_num')::integer AS version,
       current_setting('server_version') AS version_text,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby,
       current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('plan_cache_mode') AS plan_cache_mode,
       current_setting('enable_seqscan') AS enable_seqscan
