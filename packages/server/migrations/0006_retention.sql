-- How long each queue keeps what, and messages whose content was expunged: docs/decisions/retention.md

-- In milliseconds; NULL is the installation's retention. Nothing outlives the message that it belongs to.
ALTER TABLE posthorn.queue
  ADD COLUMN message_retention_ms bigint CHECK (message_retention_ms >= 0),
  ADD COLUMN body_retention_ms bigint CHECK (body_retention_ms >= 0),
  ADD COLUMN attempt_retention_ms bigint CHECK (attempt_retention_ms >= 0),
  ADD CONSTRAINT queue_body_retention CHECK (body_retention_ms <= message_retention_ms),
  ADD CONSTRAINT queue_attempt_retention CHECK (attempt_retention_ms <= message_retention_ms);
CREATE INDEX queue_retention ON posthorn.queue (id)
  WHERE message_retention_ms IS NOT NULL OR body_retention_ms IS NOT NULL OR attempt_retention_ms IS NOT NULL;

ALTER TABLE posthorn.message_done ADD COLUMN expunged_at timestamptz;

-- What an expunge must find: the dead letters of a message, and what is remembered of its content. Few have either.
CREATE INDEX message_origin ON posthorn.message (origin_id) WHERE origin_id IS NOT NULL;
CREATE INDEX message_done_origin ON posthorn.message_done (origin_id) WHERE origin_id IS NOT NULL;
CREATE INDEX idempotency_message ON posthorn.idempotency (message_id);

-- A span whose rows that had to stay were too few to keep it, while one before it could not leave: it has been emptied of
-- all others, and leaves for good after that one.
ALTER TABLE posthorn.span ADD COLUMN thinned_at timestamptz;
