-- A service as it is from now on; the caller holds the row, or its id is fresh. Primary key.
INSERT INTO posthorn.service (org_id, id, name, host, username, password, path)
OVERRIDING SYSTEM VALUE
VALUES ($1::int, $2::int, $3::text, $4::text, $5::text, $6::text, $7::text)
ON CONFLICT (org_id, id) DO UPDATE
SET host = excluded.host, username = excluded.username, password = excluded.password, path = excluded.path,
    version = service.version + 1, updated_at = now()
