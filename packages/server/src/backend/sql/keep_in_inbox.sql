-- Entries of stand-ins' inboxes, in their order; a service that is gone, or is just going, has none. Primary key of service.
INSERT INTO posthorn.inbox (org_id, service_id, at, entry)
SELECT s.org_id, s.id, e.at, e.entry
FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::text[]) WITH ORDINALITY AS e (org_id, service_id, at, entry, nth)
JOIN posthorn.service AS s ON s.org_id = e.org_id AND s.id = e.service_id
ORDER BY e.nth
FOR KEY SHARE OF s
