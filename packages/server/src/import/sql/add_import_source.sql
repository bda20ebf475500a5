-- The number of a source, drawn at its first import.
INSERT INTO posthorn.import_source (fingerprint) VALUES ($1::text)
ON CONFLICT (fingerprint) DO UPDATE SET fingerprint = excluded.fingerprint
RETURNING id
