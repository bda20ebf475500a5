-- What keeps a queue within bounds: docs/decisions/fairness.md

ALTER TABLE posthorn.queue
  ADD COLUMN rate_limit jsonb,       -- {count, intervalMs, burst}, or NULL
  ADD COLUMN circuit_breaker jsonb,  -- {failures, probeMs, maxProbeMs}, or NULL
  ADD COLUMN weight smallint NOT NULL DEFAULT 10;
