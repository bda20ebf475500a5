/** The queue room, put together for a node that answers callers. */
import type { Config } from '@posthorn/contract'
import type { Clock } from './clock.ts'
import type { Database } from './db/port.ts'
import { delayAfter } from './deliver/backoff.ts'
import { checkHeaders } from './deliver/header-rules.ts'
import type { GroupCommit } from './engine/group-commit.ts'
import type { PullEngine } from './engine/port.ts'
import type { Ids } from './id.ts'
import { createAttempts } from './queue/attempts.ts'
import type { QueueBook } from './queue/book.ts'
import type { PutWithin } from './queue/cron-chain.ts'
import { createCrons } from './queue/crons.ts'
import type { Deaths } from './queue/deaths.ts'
import { createMessages } from './queue/messages.ts'
import { queueOperations } from './queue/operations.ts'
import { createPull } from './queue/pull.ts'
import { createQueues } from './queue/queues.ts'
import { tracePuts, traceRuns } from './queue/traced-puts.ts'
import type { SecretBox } from './tenant/secret-box.ts'
import type { Tracing } from './tracing.ts'

export const LIST_LIMIT_MS = 10_000

export interface QueueParts {
  readonly config: Config
  readonly db: Database
  readonly clock: Clock
  readonly secrets: SecretBox
  readonly book: QueueBook
  readonly commit: GroupCommit
  readonly engine: PullEngine
  readonly ids: Ids
  readonly deaths: Deaths
  /** Stores the messages of ticks. */
  readonly putTicks: PutWithin
  /** Null where nothing is traced. */
  readonly tracing: Tracing | null
  /** Called when nodes are to look; must not throw. */
  readonly changed: () => void
}

/** Queues, messages and crons as the contract has them. */
export function openQueues(parts: QueueParts) {
  const { config, db, clock, secrets, book, commit, engine, ids, deaths, tracing, changed } = parts
  const shared = { db, checkHeaders, secrets, listLimitMs: LIST_LIMIT_MS }
  const queueChanged = (): void => {
    book.forgetAll()
    changed()
  }
  const queues = createQueues({ ...shared, retentionMs: config.retentionMs, changed: queueChanged })
  const messages = createMessages({
    ...shared,
    book,
    ids,
    idempotencyTtlMs: config.idempotencyTtlMs,
    random: Math.random,
    put: message => commit.put(message),
    putAll: messages => commit.putAll(messages),
    putTogether: messages => commit.putTogether(messages),
    changed,
  })
  const pull = createPull({
    db,
    engine,
    book,
    ids,
    clock,
    deaths,
    delayAfter: (backoff, failedAttempts) => delayAfter(backoff, failedAttempts, Math.random),
    changed,
  })
  const crons = createCrons({ ...shared, ids, put: message => commit.put(message), putWithin: parts.putTicks, changed })
  return queueOperations({
    queues,
    messages: tracing ? tracePuts(messages, tracing, book) : messages,
    attempts: createAttempts(shared),
    pull,
    crons: tracing ? traceRuns(crons, tracing) : crons,
  })
}
