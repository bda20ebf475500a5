import { randomUUID } from 'node:crypto'
import { priorityOf } from '../lane.ts'
import type { Claim, PullEngine } from '../port.ts'
import { byDue, byPlace, isOut, type Row, type Store } from './store.ts'

export function createPull(store: Store): PullEngine {
  const held = (queueId: number, claims: readonly { id: number; claim: string }[]): Row[] => {
    const rows = claims.flatMap(({ id, claim }) => {
      const row = store.live.get(id)
      return row && row.queueId === queueId && row.claim === claim ? [row] : []
    })
    return [...new Set(rows)]
  }
  const wait = (row: Row, until: number): void => {
    if (row.dueAt !== null) row.dueAt = Math.ceil(until)
    else row.retryAt = Math.ceil(until)
  }
  const record = (row: Row, outcome: 'delivered' | 'retry' | 'dead', error: string | null): void => {
    const none = { status: null, errorCode: null, excerpt: null, queueVersion: 0, durationMs: 0 }
    store.attempts.push({
      ...none,
      n: row.attempts,
      startedAt: store.now,
      error,
      queueId: row.queueId,
      messageId: row.id,
      outcome,
    })
  }
  return {
    claim: async (queueId, limit, visibilityMs) => claim(store, queueId, limit, visibilityMs),
    acknowledge: async (queueId, claims) =>
      held(queueId, claims).map(row => {
        record(row, 'delivered', null)
        store.finish(row, 'delivered', null, row.attempts)
        return row.id
      }),
    reject: async (queueId, claims, next) =>
      held(queueId, claims).map(row => {
        const nth = claims.findIndex(({ id, claim }) => id === row.id && claim === row.claim)
        row.claim = null
        record(row, 'at' in next ? 'retry' : 'dead', 'at' in next ? null : next.dead)
        if ('at' in next) wait(row, next.at)
        else {
          store.finish(row, 'dead', next.dead, row.attempts)
          if (next.deadLetterQueueId !== null) store.forward(row, next.deadLetterQueueId)
          const notice = next.notices?.[nth]
          if (notice) store.tell(notice)
        }
        return row.id
      }),
    extend: async (queueId, claims, visibilityMs) =>
      held(queueId, claims).map(row => {
        wait(row, store.now + visibilityMs)
        return row.id
      }),
  }
}

function claim(store: Store, queueId: number, limit: number, visibilityMs: number): Claim[] {
  const ordered = store.options.orderOf?.(queueId) ?? 'none'
  const until = store.now + visibilityMs
  const rows = ordered === 'none' ? anyOf(store, queueId) : headsOf(store, queueId, ordered)
  return rows.slice(0, limit).map(row => {
    row.claim = randomUUID()
    row.attempts += 1
    if (ordered === 'none') {
      row.scheduledAt ??= row.dueAt
      row.dueAt = until
      row.retryAt = null
    } else {
      row.pin ??= store.newPin()
      row.retryAt = until
    }
    return { ...row, claim: row.claim, until }
  })
}

const isAlive = (store: Store, row: Row): boolean => row.expiresAt === null || row.expiresAt > store.now

function anyOf(store: Store, queueId: number): Row[] {
  const of = (row: Row): boolean =>
    row.queueId === queueId && isAlive(store, row) && (row.retryAt === null || row.retryAt <= store.now)
  const overdue = store.select(row => of(row) && row.dueAt !== null && row.dueAt <= store.now, byDue)
  const ready = store.select(
    row => of(row) && row.dueAt === null,
    (a, b) => priorityOf(b.lane) - priorityOf(a.lane) || byPlace(a, b),
  )
  return [...overdue, ...ready]
}

function headsOf(store: Store, queueId: number, ordered: 'queue' | 'key'): Row[] {
  const xid = store.begin()
  for (const row of store.live.values())
    if (row.queueId === queueId && row.dueAt !== null && row.dueAt <= store.now)
      Object.assign(row, { dueAt: null, xid })
  store.end(xid)
  const heads = new Map<string, Row>()
  const rows = store.select(
    row => row.queueId === queueId && row.dueAt === null && (isAlive(store, row) || isOut(row, store.now)),
    (a, b) => (a.pin ?? Infinity) - (b.pin ?? Infinity) || byPlace(a, b),
  )
  for (const row of rows) {
    const line = ordered === 'queue' ? '' : row.key === null ? `m${row.id}` : `k${row.key}`
    if (!heads.has(line)) heads.set(line, row)
  }
  return [...heads.values()].filter(row => row.retryAt === null || row.retryAt <= store.now).sort(byPlace)
}
