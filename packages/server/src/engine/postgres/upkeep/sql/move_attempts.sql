-- Copies the attempts of messages ($1 queue, $2 id) of the span [$3, $4) to "_old", which is detached. attempt_message.
INSERT INTO posthorn.attempt_old
SELECT a.* FROM unnest($1::int[], $2::bigint[]) AS k (queue_id, id)
JOIN posthorn.attempt AS a ON a.queue_id = k.queue_id AND a.message_id = k.id
  AND a.message_id >= $3::bigint AND a.message_id < $4::bigint
