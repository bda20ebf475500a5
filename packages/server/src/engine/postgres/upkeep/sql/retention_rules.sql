-- Queues that say how long they keep something, deleted ones too: their history is still there. Index queue_retention.
SELECT id, org_id, message_retention_ms, body_retention_ms, attempt_retention_ms FROM posthorn.queue
WHERE message_retention_ms IS NOT NULL OR body_retention_ms IS NOT NULL OR attempt_retention_ms IS NOT NULL
ORDER BY id
