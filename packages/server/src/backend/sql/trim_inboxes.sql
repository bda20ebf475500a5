-- Leaves the newest $3 of each of these inboxes. Primary key, from its end; rows go in the order of the table, so that two nodes that do the same wait for each other at most.
DELETE FROM posthorn.inbox WHERE ctid = ANY (ARRAY(
  SELECT old.ctid
  FROM (SELECT DISTINCT * FROM unnest($1::int[], $2::int[]) AS e (org_id, service_id)) AS e, LATERAL (
    SELECT i.ctid FROM posthorn.inbox AS i WHERE i.org_id = e.org_id AND i.service_id = e.service_id
    ORDER BY i.id DESC OFFSET $3::int
  ) AS old
))
