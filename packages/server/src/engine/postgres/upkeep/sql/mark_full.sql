-- Spans that the id sequence ($1) has passed: no new id falls into them. Their age counts from here.
UPDATE posthorn.span SET full_at = now() WHERE full_at IS NULL AND hi <= $1::bigint + 1
