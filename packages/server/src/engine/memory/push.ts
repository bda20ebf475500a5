import { laneKey, laneOf, priorityOf, sliceKey, sliceOf } from '../lane.ts'
import type {
  Change,
  Folded,
  FoldRequest,
  Found,
  NewMessage,
  PushEngine,
  PutResult,
  Settled,
  Settlement,
  Snapshot,
  Sweep,
  Tenure,
  Work,
} from '../port.ts'
import { byDue, byPlace, isOut, type Mutable, type Row, type Store } from './store.ts'

export function createPush(store: Store): PushEngine {
  const mine = (shards: readonly number[]) => (row: Row) => shards.includes(store.shardOf(row))
  return {
    shardCount: store.options.shardCount,
    put: messages => put(store, messages),
    snapshot: async () => ({ snapshot: store.snapshot(), now: store.now }),
    sweep: async (since, shards, except) => sweep(store, since, mine(shards), except),
    findWork: async shards => findWork(store, mine(shards)),
    loadLanes: async requests =>
      requests.flatMap(({ queueId, lane, after, limit }) =>
        store
          .select(row => row.queueId === queueId && row.lane === lane && isReady(row, after), byPlace)
          .slice(0, limit)
          .map(copy),
      ),
    loadKeys: async requests =>
      requests.flatMap(({ queueId, key, after, limit }) =>
        store
          .select(
            row => row.queueId === queueId && row.key === key && sliceOf(row.lane) === 0 && isReady(row, after),
            byPlace,
          )
          .slice(0, limit)
          .map(copy),
      ),
    loadDue: async requests =>
      requests.flatMap(({ queueId, slice, after, limit }) =>
        store
          .select(row => isIn(row, queueId, slice) && isDelayed(row, after) && row.dueAt! <= store.now, byDue)
          .slice(0, limit)
          .map(copy),
      ),
    nextDue: async requests =>
      requests.map(({ queueId, slice, after }) => {
        const [row] = store.select(row => isIn(row, queueId, slice) && isDelayed(row, after), byDue)
        return row?.dueAt ?? null
      }),
    loadPinned: async queueIds =>
      store
        .select(
          row => row.pin !== null && row.dueAt === null && queueIds.includes(row.queueId),
          (a, b) => a.queueId - b.queueId || a.pin! - b.pin!,
        )
        .map(copy),
    loadExpired: async (shards, limit) =>
      store
        .select(
          row => row.expiresAt !== null && row.expiresAt <= store.now && !isOut(row, store.now) && mine(shards)(row),
          (a, b) => a.expiresAt! - b.expiresAt!,
        )
        .slice(0, limit)
        .map(copy),
    pin: async (_orgId, queueId, ids, tenure) => pin(store, queueId, ids, tenure),
    promote: async (queueIds, limit) => promote(store, queueIds, limit),
    fold: async request => fold(store, request),
    settle: async (batch, again) => settle(store, batch, again),
  }
}

const isIn = (row: Row, queueId: number, slice: number): boolean =>
  row.queueId === queueId && sliceOf(row.lane) === slice

const isReady = (row: Row, after: { xid: number; id: number }): boolean =>
  row.dueAt === null && (row.xid > after.xid || (row.xid === after.xid && row.id > after.id))

const isDelayed = (row: Row, after: { dueAt: number; id: number }): boolean =>
  row.dueAt !== null && (row.dueAt > after.dueAt || (row.dueAt === after.dueAt && row.id > after.id))

const copy = (row: Row): Row => ({ ...row })

async function put(store: Store, messages: readonly NewMessage[]): Promise<PutResult[]> {
  const xid = store.begin()
  const results: PutResult[] = []
  const rows: Row[] = []
  const createdAt = store.now
  for (const message of messages) {
    const earlier = claimKey(store, message)
    if (earlier) {
      results.push(earlier)
      continue
    }
    const row = rowOf(store, message, xid, createdAt)
    rows.push(row)
    if (message.idempotency) rememberKey(store, message, row.id)
    results.push({ kind: 'stored', id: row.id, xid, createdAt })
  }
  const hold = store.options.beforeCommit?.()
  if (hold) await hold
  for (const row of rows) store.live.set(row.id, row)
  store.end(xid)
  return results
}

const keyName = (message: NewMessage): string => `${message.queueId}:${message.idempotency!.key}`

function claimKey(store: Store, message: NewMessage): PutResult | null {
  if (!message.idempotency) return null
  const known = store.idempotency.get(keyName(message))
  if (!known || known.expiresAt <= store.now) return null
  return { kind: known.hash.equals(message.idempotency.bodyHash) ? 'repeated' : 'conflict', id: known.id }
}

function rememberKey(store: Store, message: NewMessage, id: number): void {
  const { bodyHash, ttlMs } = message.idempotency!
  store.idempotency.set(keyName(message), { id, hash: bodyHash, expiresAt: store.now + ttlMs })
}

function rowOf(store: Store, message: NewMessage, xid: number, createdAt: number): Row {
  const { orgId, queueId, key, body, headers, expiresAt } = message
  const lane = laneOf(message.slice, message.priority)
  const dueAt = message.dueAt !== null && message.dueAt > store.now ? Math.ceil(message.dueAt) : null
  const fresh = {
    attempts: 0,
    forgiven: 0,
    retryAt: null,
    pin: null,
    lost: false,
    slot: -1,
    claim: null,
    originId: null,
  }
  const given = { orgId, queueId, lane, key, body, headers, expiresAt, dueAt, scheduledAt: message.dueAt }
  return { id: store.newId(), xid, createdAt, ...given, ...fresh }
}

function sweep(store: Store, since: Snapshot, mine: (row: Row) => boolean, except: readonly number[]): Sweep {
  const isNew = (xid: number): boolean => xid >= since.xmax || since.xip.includes(xid)
  const lanes = new Map<number, { -readonly [K in keyof Found]: Found[K] }>()
  for (const row of store.live.values()) {
    if (!isNew(row.xid) || !mine(row) || except.includes(row.xid)) continue
    const name = laneKey(row.queueId, row.lane)
    const lane = lanes.get(name) ?? { queueId: row.queueId, lane: row.lane, fromXid: null, fromDue: null }
    if (row.dueAt === null) lane.fromXid = Math.min(lane.fromXid ?? row.xid, row.xid)
    else lane.fromDue = Math.min(lane.fromDue ?? row.dueAt, row.dueAt)
    lanes.set(name, lane)
  }
  const changes: Change[] = store.changes.filter(({ xid }) => isNew(xid)).map(({ change }) => change)
  return { snapshot: store.snapshot(), now: store.now, found: [...lanes.values()], changes }
}

function findWork(store: Store, mine: (row: Row) => boolean): Work[] {
  const work = new Map<number, Mutable<Work> & { lanes: number[] }>()
  for (const row of store.live.values()) {
    if (!mine(row)) continue
    const slice = sliceOf(row.lane)
    const key = sliceKey(row.queueId, slice)
    const entry = work.get(key) ?? {
      queueId: row.queueId,
      slice,
      lanes: [],
      nextDue: null,
      waitsSince: null,
      pinned: false,
    }
    const since = row.dueAt === null && row.forgiven === 0 ? Math.max(row.createdAt, row.scheduledAt ?? 0) : null
    if (since !== null) entry.waitsSince = Math.min(entry.waitsSince ?? since, since)
    if (row.dueAt !== null) entry.nextDue = Math.min(entry.nextDue ?? row.dueAt, row.dueAt)
    else if (!entry.lanes.includes(row.lane)) entry.lanes.push(row.lane)
    if (row.pin !== null) entry.pinned = true
    work.set(key, entry)
  }
  return [...work.values()]
}

function pin(store: Store, queueId: number, ids: readonly number[], tenure: Tenure): number[] {
  if (store.epochs.get(tenure.shard) !== tenure.epoch) return []
  const pinned: number[] = []
  for (const id of ids) {
    const row = store.live.get(id)
    if (!row || row.queueId !== queueId) continue
    row.pin ??= store.newPin()
    pinned.push(id)
  }
  return pinned
}

function promote(store: Store, queueIds: readonly number[], limit: number): void {
  const xid = store.begin()
  for (const queueId of queueIds) {
    const due = store.select(row => isIn(row, queueId, 0) && row.dueAt !== null && row.dueAt <= store.now, byDue)
    const raised = store.select(row => isIn(row, queueId, 0) && row.dueAt === null && row.lane !== 0, byPlace)
    for (const row of [...due.slice(0, limit), ...raised.slice(0, limit)]) {
      row.scheduledAt ??= row.dueAt
      row.dueAt = null
      row.lane = 0
      row.xid = xid
    }
  }
  store.end(xid)
}

function fold(store: Store, { queueId, slice, spread, after, limit, tenure }: FoldRequest): Folded {
  if (store.epochs.get(tenure.shard) !== tenure.epoch) return { last: null, more: true }
  const xid = store.begin()
  const ready = store.select(row => isIn(row, queueId, slice) && row.dueAt === null, byPlace).slice(0, limit)
  const delayed = store.select(row => isIn(row, queueId, slice) && isDelayed(row, after), byDue).slice(0, limit)
  const last = delayed.at(-1)
  for (const row of [...ready, ...delayed])
    Object.assign(row, { xid, lane: laneOf(row.id % spread, priorityOf(row.lane)) })
  store.end(xid)
  const more = ready.length === limit || delayed.length === limit
  return { last: last ? { dueAt: last.dueAt!, id: last.id } : null, more }
}

function settle(store: Store, batch: readonly Settlement[], again: boolean): Settled {
  const fenced = new Map<string, Tenure>()
  const deadLettered: number[] = []
  const dead: number[] = []
  for (const settlement of batch) {
    const { tenure, verdict, attempt } = settlement
    const held = store.epochs.get(tenure.shard) === tenure.epoch
    if (!held) fenced.set(`${tenure.shard}:${tenure.epoch}`, tenure)
    const row = store.live.get(settlement.id)
    const found = held && row?.attempts === settlement.attempts
    if (attempt && !(again && isRecorded(store, settlement)))
      store.attempts.push({
        ...attempt,
        excerpt: found ? attempt.excerpt : null,
        queueId: settlement.queueId,
        messageId: settlement.id,
        outcome: verdict.kind,
      })
    if (!found) continue
    apply(store, row, settlement, deadLettered)
    if (verdict.kind === 'dead') dead.push(row.id)
  }
  return { fenced: [...fenced.values()], deadLettered, dead }
}

function isRecorded(store: Store, { id, attempts }: Settlement): boolean {
  return store.attempts.some(attempt => attempt.messageId === id && attempt.n === attempts + 1)
}

function apply(store: Store, row: Row, { verdict, attempt, notice }: Settlement, deadLettered: number[]): void {
  const attempts = row.attempts + (attempt ? 1 : 0)
  if (verdict.kind === 'retry') {
    row.attempts = attempts
    row.dueAt = verdict.inPlace ? null : Math.ceil(verdict.at)
    row.retryAt = verdict.inPlace ? Math.ceil(verdict.at) : null
    return
  }
  store.finish(row, verdict.kind, 'reason' in verdict ? verdict.reason : null, attempts)
  if (notice && store.tell(notice)) deadLettered.push(notice.queueId)
  if (verdict.kind !== 'dead' || verdict.deadLetterQueueId === null) return
  if (store.forward(row, verdict.deadLetterQueueId)) deadLettered.push(verdict.deadLetterQueueId)
}
