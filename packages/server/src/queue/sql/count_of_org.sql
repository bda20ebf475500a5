-- What an org owns: along queue_org, cron_org, and the primary keys of both tables of messages.
SELECT (SELECT count(*) FROM posthorn.queue AS q WHERE q.org_id = $1::int AND q.deleted_at IS NULL) AS queues,
       (SELECT count(*) FROM posthorn.cron AS c WHERE c.org_id = $1::int) AS crons,
       (SELECT count(*) FROM posthorn.message AS m WHERE m.org_id = $1::int) AS pending,
       (SELECT count(*) FROM posthorn.message_done AS d WHERE d.org_id = $1::int) AS settled
