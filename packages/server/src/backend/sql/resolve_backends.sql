-- What these orgs ($1) use for these functions ($2) at this moment; $3 is the instance org, whose backend SYSTEM stands for.
-- One step and never more: an instance org that says SYSTEM itself has none. Primary keys of org, backend and service.
SELECT a.org_id AS for_org, a.function, o.name AS org_name, o.email_from,
       b.service_id IS NULL AS system, lender.name AS lender_name, lender.email_from AS lender_email_from,
       s.id, s.org_id, s.name, s.host, s.username, s.password, s.path, s.version
FROM unnest($1::int[], $2::text[]) AS a (org_id, function)
JOIN posthorn.org AS o ON o.id = a.org_id AND o.deleted_at IS NULL
JOIN posthorn.backend AS b ON b.org_id = a.org_id AND b.function = a.function
LEFT JOIN posthorn.org AS lender ON b.service_id IS NULL AND lender.id = $3::int
LEFT JOIN posthorn.backend AS i ON b.service_id IS NULL AND i.org_id = lender.id AND i.function = a.function
LEFT JOIN posthorn.service AS s ON s.id = coalesce(b.service_id, i.service_id)
