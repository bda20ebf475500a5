-- Where the id sequence stands among the spans, and how far it came in the last day: from the latest mark that is a day
-- old, or from the oldest one there is. Reads the sequence itself and two tables of a few rows.
WITH s AS (
  SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS last_id FROM posthorn.message_id
)
SELECT s.last_id,
  (SELECT min(hi) FROM posthorn.span WHERE hi > s.last_id + 1) AS current_hi,
  coalesce((SELECT max(hi) FROM posthorn.span), 0) AS top,
  s.last_id - coalesce(
    (SELECT last_id FROM posthorn.id_mark WHERE made_at <= now() - interval '1 day' ORDER BY made_at DESC LIMIT 1),
    (SELECT last_id FROM posthorn.id_mark ORDER BY made_at LIMIT 1),
    s.last_id) AS day_ids,
  NOT EXISTS (SELECT FROM posthorn.id_mark WHERE made_at > now() - interval '1 hour') AS mark_due,
  EXISTS (SELECT FROM posthorn.span WHERE full_at IS NULL AND hi <= s.last_id + 1) AS full_due
FROM s
