-- Relies on the migration lock: nobody else records the same number meanwhile.
INSERT INTO posthorn.migration (number, name, sha256) VALUES ($1, $2, $3)
