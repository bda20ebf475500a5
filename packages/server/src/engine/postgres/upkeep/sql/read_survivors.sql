-- Reads what will be moved to its last byte, so that it is in memory by the time that puts have to wait for the move.
-- Gives the number of attempts. $1 and $2 the messages (queue, id), $3 the payloads, all in [$4, $5).
SELECT
  (SELECT count(a.started_at)
   FROM unnest($1::int[], $2::bigint[]) AS k (queue_id, id)
   JOIN posthorn.attempt AS a ON a.queue_id = k.queue_id AND a.message_id = k.id
     AND a.message_id >= $4::bigint AND a.message_id < $5::bigint) AS attempts,
  (SELECT count(md5(p.body)) + count(md5(p.bytes)) + count(p.headers)
   FROM unnest($3::bigint[]) AS k (id)
   JOIN posthorn.payload AS p ON p.id = k.id AND p.id >= $4::bigint AND p.id < $5::bigint) AS texts
