-- What is known of the content of messages ($1 queues, $2 ids) and their payloads ($3) goes: answers of receivers, words of
-- consumers (an error without a code), the hash by which a repeated put would be compared. The idempotency key itself stays
-- until its time is over, so that a repeated put stores nothing. attempt_message, idempotency_message, primary key of payload.
WITH tried AS (
  UPDATE posthorn.attempt AS a SET excerpt = NULL, error = CASE WHEN a.error_code IS NOT NULL THEN a.error END
  FROM unnest($1::int[], $2::bigint[]) AS k (queue_id, id)
  WHERE a.queue_id = k.queue_id AND a.message_id = k.id
    AND (a.excerpt IS NOT NULL OR (a.error IS NOT NULL AND a.error_code IS NULL))
), forgotten AS (
  UPDATE posthorn.idempotency SET body_hash = '' WHERE message_id = ANY ($2::bigint[])
)
DELETE FROM posthorn.payload WHERE id = ANY ($3::bigint[])
