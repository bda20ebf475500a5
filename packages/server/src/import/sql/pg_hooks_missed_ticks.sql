-- In pg-hooks' database: of each cron the latest tick that was due when it was taken over ($2), among those handed over. There
-- is no index: one pass over the messages.
SELECT DISTINCT ON (m.cron_id) m.id::bigint AS id
FROM messages AS m JOIN unnest($1::int[], $2::float8[]) AS c (id, since) ON c.id = m.cron_id
WHERE m.sent_at = '9999-12-31 00:00:00' AND NOT m.failed AND m.retries = 0
  AND m."when" <= to_timestamp(c.since / 1000) AT TIME ZONE 'UTC'
ORDER BY m.cron_id, m."when" DESC, m.id
