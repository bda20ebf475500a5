-- The first span, if it was full longer than $1 ms and an hour ago. Whatever was put into it came before that, so what was
-- settled within $1 ms took more than an hour: it is in message_done_late.
SELECT lo, hi FROM posthorn.span
WHERE lo = (SELECT min(lo) FROM posthorn.span)
  AND full_at < now() - $1::float8 * interval '1 ms' - interval '1 hour'
