-- Settled messages ($1 org, $2 ids) are marked, and lose what others wrote on them: the key, and the reason, unless it is of
-- our own making: late, or after an attempt that failed with a code (a consumer's rejection has none). Primary key, attempt_message.
UPDATE posthorn.message_done AS d
SET expunged_at = now(), key = NULL,
    reason = CASE
      WHEN d.reason IS NULL OR d.outcome = 'e' THEN d.reason
      WHEN d.outcome = 'x' AND EXISTS (
        SELECT FROM posthorn.attempt AS a
        WHERE a.queue_id = d.queue_id AND a.message_id = d.id AND a.n = d.attempts AND a.error_code IS NOT NULL
      ) THEN d.reason
      ELSE 'expunged'
    END
WHERE d.org_id = $1::int AND d.id = ANY ($2::bigint[]) AND d.expunged_at IS NULL
