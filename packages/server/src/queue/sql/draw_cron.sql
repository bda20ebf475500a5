-- The id of a cron to be: its schedule may depend on it. And the database's clock.
SELECT nextval('posthorn.cron_id_seq')::int AS id, clock_timestamp() AS now
