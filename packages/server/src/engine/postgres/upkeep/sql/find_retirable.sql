-- Spans that were full longer than $1 ms and an hour ago. Whatever was put into them came before that, so what was settled
-- within $1 ms took more than an hour: it is in message_done_late.
SELECT lo, hi, lo = (SELECT min(lo) FROM posthorn.span) AS is_first, thinned_at IS NOT NULL AS is_thinned
FROM posthorn.span
WHERE full_at < now() - $1::float8 * interval '1 ms' - interval '1 hour'
ORDER BY lo
