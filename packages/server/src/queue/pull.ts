/**
 * Pull queues: consumers claim messages for a time, and say what became of them.
 *
 * A claim is a right on a message until it runs out; only its holder can settle, reject or extend. What is handed out
 * counts as an attempt, so a consumer that always crashes uses the retries up: then the message is dead, as after a
 * failed delivery.
 */
import { type Backoff, type ClaimedMessage, Problem } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Claim, PullEngine } from '../engine/port.ts'
import type { Ids } from '../id.ts'
import type { Caller } from '../tenant/caller.ts'
import type { QueueBook, QueueConfig } from './book.ts'
import type { Death, Deaths } from './deaths.ts'

export interface PullOptions {
  readonly db: Database
  readonly engine: PullEngine
  readonly book: Pick<QueueBook, 'get' | 'find'>
  readonly ids: Pick<Ids, 'webhookId'>
  readonly clock: Clock
  /** Milliseconds until the retry after this many failed attempts. */
  readonly delayAfter: (backoff: Backoff, failedAttempts: number) => number
  readonly deaths: Deaths
  /** Called after a message was put on another queue by a death; must not throw. */
  readonly changed: () => void
}

interface Held {
  readonly id: number
  readonly claims: readonly { readonly id: number; readonly claim: string }[]
}

const HELD = loadStatement(import.meta.url, './sql/held_claims.sql')
const DEFAULT_LIMIT = 10
const DEFAULT_VISIBILITY_MS = 30_000
const USED_UP = 'every claim of it ran out or was rejected'

export type Pull = ReturnType<typeof createPull>

/** The operations on pull queues, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createPull(room: PullOptions) {
  return {
    claim: (caller: Caller, input: { readonly id: number; readonly limit?: number; readonly visibilityMs?: number }) =>
      claim(room, caller, input),
    async acknowledge(caller: Caller, { id, claims }: Held) {
      await findPullQueue(room, caller, id)
      const acknowledged = await room.engine.acknowledge(id, claims)
      return { acknowledged, lost: without(claims, acknowledged) }
    },
    async extend(caller: Caller, { id, claims, visibilityMs }: Held & { readonly visibilityMs: number }) {
      await findPullQueue(room, caller, id)
      const extended = await room.engine.extend(id, claims, visibilityMs)
      return { extended, lost: without(claims, extended) }
    },
    reject: (caller: Caller, input: Held & { readonly reason?: string }) => reject(room, caller, input),
  }
}

async function claim(
  room: PullOptions,
  caller: Caller,
  input: { readonly id: number; readonly limit?: number; readonly visibilityMs?: number },
): Promise<{ messages: ClaimedMessage[] }> {
  const { id, limit = DEFAULT_LIMIT, visibilityMs = DEFAULT_VISIBILITY_MS } = input
  const queue = await findPullQueue(room, caller, id)
  if (queue.isPaused) return { messages: [] }
  for (;;) {
    const claims = await room.engine.claim(id, limit, visibilityMs)
    const worn = claims.filter(({ attempts, forgiven }) => attempts - forgiven > queue.maxRetries + 1)
    if (worn.length > 0) await bury(room, queue, worn, USED_UP)
    const fit = claims.filter(one => !worn.includes(one))
    // A round that only buried says nothing of what stands behind.
    if (fit.length > 0 || worn.length === 0) return { messages: fit.map(one => claimed(one, room.ids)) }
  }
}

async function reject(room: PullOptions, caller: Caller, { id, claims, reason }: Held & { readonly reason?: string }) {
  const queue = await findPullQueue(room, caller, id)
  const params = [id, claims.map(one => one.id), claims.map(one => one.claim)]
  const held = await room.db.query<{ id: number; claim: string; attempts: number; forgiven: number }>(HELD, params)
  const isWorn = (one: { attempts: number; forgiven: number }): boolean =>
    one.attempts - one.forgiven > queue.maxRetries
  const dead = await bury(room, queue, held.filter(isWorn), reason ?? USED_UP)
  const retried: number[] = []
  for (const one of held.filter(one => !isWorn(one))) {
    const at = Math.ceil(room.clock.now() + room.delayAfter(queue.backoff, one.attempts - one.forgiven))
    retried.push(...(await room.engine.reject(id, [one], { at })))
  }
  return { retried, dead, lost: without(claims, [...retried, ...dead]) }
}

async function bury(
  room: PullOptions,
  queue: QueueConfig,
  claims: readonly { readonly id: number; readonly claim: string; readonly attempts: number }[],
  reason: string,
): Promise<number[]> {
  if (claims.length === 0) return []
  const { id: queueId, orgId, deadLetterQueueId } = queue
  const deaths = claims.map(
    ({ id, attempts }): Death => ({ orgId, queueId, messageId: id, attempts, reason, deadLetterQueueId }),
  )
  const notices = deaths.map(death => room.deaths.noticeOf(death))
  const dead = await room.engine.reject(queueId, claims, { dead: reason, deadLetterQueueId, notices })
  if (dead.length === 0) return []
  room.deaths.died(deaths.filter(({ messageId }) => dead.includes(messageId)))
  if (deadLetterQueueId !== null || notices.some(notice => notice !== null)) room.changed()
  return dead
}

async function findPullQueue(room: PullOptions, { orgId }: Caller, id: number): Promise<QueueConfig> {
  const queue = room.book.get(id) ?? (await room.book.find([id])).get(id)
  if (queue?.orgId !== orgId) throw new Problem('queue_not_found', { id })
  if (queue.callbackUrl !== null || queue.function !== null) throw new Problem('queue_not_pull', { id })
  return queue
}

function claimed(claim: Claim, ids: Pick<Ids, 'webhookId'>): ClaimedMessage {
  const { body, headers } = claim
  return {
    id: claim.id,
    claim: claim.claim,
    claimedUntil: new Date(claim.until).toISOString(),
    attempt: claim.attempts,
    body: typeof body === 'string' ? body : null,
    bodyBase64: Buffer.isBuffer(body) ? body.toString('base64') : null,
    headers: headers === null ? null : JSON.parse(headers),
    key: claim.key,
    webhookId: ids.webhookId(claim.id),
  }
}

function without(claims: readonly { readonly id: number }[], ids: readonly number[]): number[] {
  const found = new Set(ids)
  return claims.map(({ id }) => id).filter(id => !found.has(id))
}
