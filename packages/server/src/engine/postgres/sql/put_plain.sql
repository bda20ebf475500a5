-- Many callers' messages in one commit: ready at once, text bodies, headers where they have some, nothing else set; $4 only
-- where a queue is spread, $5 only where a message has headers (one that is traced must not make all others dearer).
-- Bodies come as one text cut at U+0001, which costs a third of a text array; so do headers, none as the empty text. Ids
-- are drawn in the order of the input (a function scan is read in order), one by one from the sequence: blocks per node
-- would break the order between nodes.
WITH n AS MATERIALIZED (
  SELECT nextval('posthorn.message_id') AS id, i.org_id, i.queue_id, i.body, i.lane, i.headers
  FROM unnest($1::int[], $2::int[], string_to_array($3::text, E'\x01'), $4::smallint[], string_to_array($5::text, E'\x01', ''))
    AS i (org_id, queue_id, body, lane, headers)
), p AS (
  INSERT INTO posthorn.payload (id, body, headers) SELECT id, body, headers FROM n
), m AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, lane) SELECT org_id, queue_id, id, id, coalesce(lane, 0) FROM n
)
SELECT pg_current_xact_id()::text, floor(extract(epoch FROM now()) * 1000)::bigint::text, string_agg(id::text, ',') FROM n
