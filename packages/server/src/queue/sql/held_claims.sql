-- Which of these claims still hold, with the attempts made: by the primary key, the org being the queue's.
SELECT m.id, m.claim::text AS claim, m.attempts, m.forgiven
FROM unnest($2::bigint[], $3::text[]) AS u (id, claim)
JOIN posthorn.message AS m
  ON m.org_id = (SELECT org_id FROM posthorn.queue WHERE id = $1::int)
  AND m.id = u.id AND m.queue_id = $1::int AND m.claim::text = u.claim
