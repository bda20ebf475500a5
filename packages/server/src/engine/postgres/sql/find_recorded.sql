-- Which of these attempts are on record, by their numbers in the input. Along attempt_message (queue_id, message_id, n).
SELECT u.ord::text
FROM unnest($1::int[], $2::bigint[], $3::smallint[]) WITH ORDINALITY AS u (queue_id, message_id, n, ord)
WHERE EXISTS (
  SELECT FROM posthorn.attempt AS a WHERE a.queue_id = u.queue_id AND a.message_id = u.message_id AND a.n = u.n)
