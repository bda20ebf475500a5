-- In pg-hooks' database: from here on it sends none of these any more, for it sends only what has no sent_at. All or none.
-- There is no index: one pass over the messages.
WITH handed AS (
  UPDATE messages SET sent_at = '9999-12-31 00:00:00'
  WHERE sent_at IS NULL AND NOT failed AND queue_id = ANY ($1::int[]) AND (cron_id IS NULL OR cron_id = ANY ($2::int[]))
  RETURNING 1
)
SELECT count(*) AS handed FROM handed
