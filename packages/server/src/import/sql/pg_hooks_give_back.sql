-- In pg-hooks' database: what could not be taken is its own again. Primary key.
UPDATE messages SET sent_at = NULL WHERE id = ANY ($1::bigint[]) AND sent_at = '9999-12-31 00:00:00'
