-- Many callers' messages in one commit, with everything that can be set. An array that is NULL as a whole stands for NULLs.
-- A keyed message is stored only if it wins its key: the primary key of `idempotency` decides, an expired key is taken over.
-- Keys are claimed in key order, so that two batches with the same keys cannot deadlock.
WITH n AS MATERIALIZED (
  SELECT nextval('posthorn.message_id') AS id, i.*
  FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::float8[], $8::smallint[],
              $9::text[], $10::int[], $11::text[], $12::text[], $13::float8[]) WITH ORDINALITY
    AS i (org_id, queue_id, body, bytes, headers, due, expires, lane, key, cron_id, idem_key, idem_hash, idem_ttl, ord)
), claimed AS (
  INSERT INTO posthorn.idempotency AS k (queue_id, key, message_id, body_hash, expires_at)
  SELECT queue_id, idem_key, id, decode(idem_hash, 'hex'), now() + idem_ttl * interval '1 ms'
  FROM n WHERE idem_key IS NOT NULL ORDER BY queue_id, idem_key
  ON CONFLICT (queue_id, key) DO UPDATE
    SET message_id = excluded.message_id, body_hash = excluded.body_hash, expires_at = excluded.expires_at
    WHERE k.expires_at <= now()
  RETURNING message_id
), w AS MATERIALIZED (
  SELECT n.* FROM n WHERE n.idem_key IS NULL OR n.id IN (SELECT message_id FROM claimed)
), p AS (
  INSERT INTO posthorn.payload (id, body, bytes, headers) SELECT id, body, decode(bytes, 'hex'), headers FROM w
), m AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, lane, due_at, scheduled_at, expires_at, key, cron_id)
  SELECT org_id, queue_id, id, id, coalesce(lane, 0),
    CASE WHEN due > extract(epoch FROM now()) * 1000 THEN to_timestamp(due / 1000) END,
    to_timestamp(due / 1000), to_timestamp(expires / 1000), key, cron_id
  FROM w
)
SELECT pg_current_xact_id()::text, floor(extract(epoch FROM now()) * 1000)::bigint::text, n.id::text,
  CASE WHEN w.id IS NOT NULL THEN '1' END
FROM n LEFT JOIN w ON w.id = n.id ORDER BY n.ord
