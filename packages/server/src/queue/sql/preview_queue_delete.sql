-- What deleting a queue would do: along message_queue, cron_queue and queue_dead_letter.
SELECT (SELECT count(*) FROM posthorn.message AS m WHERE m.queue_id = $1::int) AS cancelled,
       (SELECT count(*) FROM posthorn.cron AS c WHERE c.queue_id = $1::int) AS crons,
       (SELECT count(*) FROM posthorn.queue AS q
        WHERE q.dead_letter_queue_id = $1::int AND q.id <> $1::int AND q.deleted_at IS NULL) AS orphaned
