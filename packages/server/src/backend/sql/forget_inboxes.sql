-- What nobody is shown any more, some at a time. Index inbox_at.
DELETE FROM posthorn.inbox WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM posthorn.inbox WHERE at <= now() - interval '1 day' ORDER BY at LIMIT 1000
))
