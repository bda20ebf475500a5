-- What the ledger says of a source's messages, and where they are now: a settled one is in the history until retention.
SELECT count(*) AS messages, coalesce(sum(i.old_id), 0)::text AS sum, count(*) FILTER (WHERE i.new_id IS NULL) AS ticks,
       count(*) FILTER (WHERE EXISTS (SELECT FROM posthorn.message AS m WHERE m.org_id = $2::int AND m.id = i.new_id)) AS waiting,
       count(*) FILTER (WHERE EXISTS (SELECT FROM posthorn.message_done AS d WHERE d.org_id = $2::int AND d.id = i.new_id)) AS settled
FROM posthorn.imported AS i WHERE i.source_id = $1::int AND i.kind = 'm'
