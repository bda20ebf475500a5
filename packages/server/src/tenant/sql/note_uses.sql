-- When keys were last used. No index has the column, so the rows stay where they are. Primary key.
UPDATE posthorn.api_key AS k SET last_used_at = u.at
FROM unnest($1::int[], $2::int[], $3::timestamptz[]) AS u (org_id, id, at)
WHERE k.org_id = u.org_id AND k.id = u.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
