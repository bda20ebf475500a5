/** What the conformance suite needs of an engine besides its ports: a look at what is stored, and a hand on time and commits. */
import { test } from 'vitest'
import { shardOf } from './lane.ts'
import type {
  AttemptRecord,
  Change,
  Head,
  Locks,
  NewMessage,
  PullEngine,
  PushEngine,
  PutResult,
  Settlement,
  Tenure,
  Verdict,
} from './port.ts'

export interface Fixture {
  readonly engine: PushEngine & PullEngine
  readonly locks: Locks
  readonly orgId: number
  /** `slices`: over how many it was ever spread. */
  makeQueue(ordered?: 'none' | 'queue' | 'key', slices?: number): Promise<number>
  deleteQueue(queueId: number): Promise<void>
  /** The engine's clock. */
  now(): Promise<number>
  /** Makes everything that is stored older by this much, as if the time had passed. */
  pass(ms: number): Promise<void>
  live(id: number): Promise<Live | null>
  history(id: number): Promise<Done | null>
  attempts(id: number): Promise<Tried[]>
  /** Notes something that owners must hear of. */
  note(change: Change): Promise<void>
  /** Puts in a transaction that stays open until it is told to commit, and that gives its results then. */
  putLate(messages: readonly NewMessage[]): Promise<{ commit(): Promise<PutResult[]> }>
  /** A transaction on a connection of its own. */
  begin(): Promise<OpenTransaction>
  /** Ends every lock session as a server does, without its holders' doing. */
  cutSessions(): Promise<void>
  close(): Promise<void>
}

export interface OpenTransaction {
  readonly engine: PushEngine & PullEngine
  take(shard: number): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
  /** Resolves when somebody waits for this transaction to end. */
  awaited(): Promise<void>
}

export interface Live {
  readonly queueId: number
  readonly attempts: number
  readonly lane: number
  readonly dueAt: number | null
  readonly retryAt: number | null
  readonly scheduledAt: number | null
  readonly originId: number | null
  readonly isPinned: boolean
}

export interface Done {
  readonly queueId: number
  readonly outcome: 'delivered' | 'dead' | 'expired' | 'cancelled'
  readonly attempts: number
  readonly reason: string | null
}

export interface Tried {
  readonly n: number
  readonly outcome: 'delivered' | 'retry' | 'dead' | 'expired' | 'cancelled'
  readonly status: number | null
  readonly error: string | null
  readonly excerpt: string | null
}

/** What not every engine can do; where one cannot, the laws about it are skipped, with the reason in their names. */
export type Ability = 'late commits' | 'transactions' | 'sessions'

export interface EngineUnderTest {
  readonly name: string
  readonly lacks: Partial<Record<Ability, string>>
  open(): Promise<Fixture>
}

export interface Laws {
  readonly fixture: () => Fixture
  /** A test that is skipped, saying so, by engines that lack the ability. */
  needs(ability: Ability, law: string, run: () => Promise<void>): void
}

export function lawsOf(subject: EngineUnderTest, fixture: () => Fixture): Laws {
  return {
    fixture,
    needs(ability, law, run) {
      const reason = subject.lacks[ability]
      if (reason === undefined) test(law, run)
      else test.skip(`${law} [not here: ${reason}]`, run)
    },
  }
}

export const START = { xid: 0, id: 0 }
export const FIRST_DUE = { dueAt: 0, id: 0 }

export function message(
  { orgId }: Pick<Fixture, 'orgId'>,
  queueId: number,
  more: Partial<NewMessage> = {},
): NewMessage {
  return {
    orgId,
    queueId,
    body: 'body',
    headers: null,
    dueAt: null,
    expiresAt: null,
    priority: 0,
    slice: 0,
    key: null,
    cronId: null,
    idempotency: null,
    ...more,
  }
}

/** Puts these on a queue in one call, and gives their ids. */
export async function put(
  fixture: Fixture,
  queueId: number,
  ...messages: readonly Partial<NewMessage>[]
): Promise<number[]> {
  return idsOf(await fixture.engine.put(messages.map(more => message(fixture, queueId, more))))
}

export const idsOf = (rows: readonly { readonly id: number }[]): number[] => rows.map(({ id }) => id)

export function loadLane(fixture: Fixture, queueId: number, after = START, limit = 1000, lane = 0): Promise<Head[]> {
  return fixture.engine.loadLanes([{ queueId, lane, after, limit }])
}

/** Takes the shard of the queue, or of a slice of it, in a session that ends with it: the tenure holds until somebody takes it again. */
export async function own(fixture: Fixture, queueId: number, slice = 0): Promise<Tenure> {
  const hold = await fixture.locks.open(60_000, () => {})
  const shard = shardOf(queueId, slice, fixture.engine.shardCount)
  const [taken] = await hold.take([shard], 'test')
  await hold.close()
  return { shard, epoch: taken!.epoch }
}

export function attempt(n: number, more: Partial<AttemptRecord> = {}): AttemptRecord {
  const record = { startedAt: Date.now(), durationMs: 12, status: 204, queueVersion: 1 }
  return { n, ...record, errorCode: null, error: null, excerpt: null, ...more }
}

type Settling = Pick<Head, 'orgId' | 'queueId' | 'id' | 'attempts'>

export function settlement(head: Settling, tenure: Tenure, verdict: Verdict, made: AttemptRecord | null): Settlement {
  const { orgId, queueId, id, attempts } = head
  return { orgId, queueId, id, attempts, tenure, verdict, attempt: made, notice: null }
}

export const delivered = (head: Settling, tenure: Tenure): Settlement =>
  settlement(head, tenure, { kind: 'delivered' }, attempt(head.attempts + 1))

export const retried = (head: Settling, tenure: Tenure, at: number, inPlace = false): Settlement =>
  settlement(head, tenure, { kind: 'retry', at, inPlace }, attempt(head.attempts + 1, { status: 500, error: 'no' }))

export const dead = (head: Settling, tenure: Tenure, deadLetterQueueId: number | null): Settlement =>
  settlement(
    head,
    tenure,
    { kind: 'dead', reason: 'used up', deadLetterQueueId },
    attempt(head.attempts + 1, { status: 500, error: 'no' }),
  )

export const nobody: Tenure = { shard: 0, epoch: -1 }

/** Ids in any order, for sets. */
export const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b)
