-- The ids of crons to be: their schedules may depend on them. And the database's clock.
SELECT nextval('posthorn.cron_id_seq')::int AS id, clock_timestamp() AS now FROM generate_series(1, $1::int)
