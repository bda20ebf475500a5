-- What is known of API keys, by the hexadecimal digits of their hashes: unique index on hash, primary key of org.
SELECT encode(k.hash, 'hex') AS hash, k.id, k.org_id, o.name AS org_name, k.name, k.scopes, k.expires_at
FROM unnest($1::text[]) AS h
JOIN posthorn.api_key AS k ON k.hash = decode(h, 'hex')
JOIN posthorn.org AS o ON o.id = k.org_id AND o.deleted_at IS NULL
