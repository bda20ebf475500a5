-- Many callers' messages in one commit: ready at once, text bodies, headers where they have some, nothing else set; $4 only
-- where a queue is spread, $5 only where a message has headers (one that is traced must not make all others dearer).
-- Bodies come as one text cut at U+0001, which costs a third of a text array; so do headers, none as the empty text. They
-- go from there into the table without being laid aside in between: ids are drawn as the payloads are stored, in the order
-- of the input, and meet what else was given by their places in an array. They are drawn outside of what is cut: inside, one
-- more than there are messages would be drawn. One by one from the sequence: blocks per node would break the order between nodes.
WITH p AS (
  INSERT INTO posthorn.payload (id, body, headers)
  SELECT nextval('posthorn.message_id'), body, headers
  FROM (SELECT unnest(string_to_array($3::text, E'\x01')) AS body, unnest(string_to_array($5::text, E'\x01', '')) AS headers) AS i
  RETURNING id
), n AS MATERIALIZED (
  SELECT array_agg(id) AS ids FROM p
), m AS (
  INSERT INTO posthorn.message (org_id, queue_id, id, payload_id, lane)
  SELECT org_id, queue_id, id, id, coalesce(lane, 0)
  FROM (
    SELECT unnest($1::int[]) AS org_id, unnest($2::int[]) AS queue_id, unnest(ids) AS id, unnest($4::smallint[]) AS lane FROM n
  ) AS i
)
SELECT pg_current_xact_id()::text, floor(extract(epoch FROM now()) * 1000)::bigint::text, array_to_string(ids, ',') FROM n
