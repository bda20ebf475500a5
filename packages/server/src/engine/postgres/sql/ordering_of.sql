-- Whether a queue is ordered. Primary key of `queue`.
SELECT ordered FROM posthorn.queue WHERE id = $1::int
