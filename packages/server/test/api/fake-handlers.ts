/** Handlers on two maps: enough truth for the edge to be tested without a domain. */
import {
  type Condition,
  type Cron,
  type CronCreate,
  cron,
  type Key,
  type Message,
  type MessagePut,
  message,
  type Org,
  Problem,
  type Queue,
  type QueueCreate,
  queue,
  resolveRetryPolicy,
} from '@posthorn/contract'
import type { Handlers } from '../../src/api/handlers.ts'
import { type FakeBackend, fakeBackendHandlers, noFile } from './fake-backend.ts'
import { createFakeTenantHandlers, type FakeTenantHandlers } from './fake-tenant-handlers.ts'

const NOW = '2026-01-01T00:00:00.000Z'

export interface FakeState {
  readonly queues: Map<number, Queue>
  readonly messages: Map<number, Message>
  readonly crons: Map<number, Cron>
  readonly orgs: Map<number, Org>
  readonly keys: Map<number, Key>
  readonly backend: FakeBackend
  /** The input of every call, by operation. */
  readonly calls: { readonly operation: string; readonly input: unknown }[]
  /** Thrown by the next call. */
  failure: unknown
}

export function createFakeHandlers(): { handlers: Handlers; state: FakeState } {
  const state: FakeState = {
    queues: new Map(),
    messages: new Map(),
    crons: new Map(),
    orgs: new Map(),
    keys: new Map(),
    backend: { services: new Map(), workers: new Map(), templates: new Map(), file: noFile },
    calls: [],
    failure: null,
  }
  const plain = { ...createPlainHandlers(state), ...createFakeTenantHandlers(state.orgs, state.keys) }
  const noted = Object.entries(plain).map(([operation, handle]) => [
    operation,
    async (context: never, input: never) => {
      state.calls.push({ operation, input: structuredClone(input) })
      if (state.failure) throw state.failure
      return (handle as (context: never, input: never) => unknown)(context, input)
    },
  ])
  return { handlers: Object.fromEntries(noted), state }
}

function createPlainHandlers({
  queues,
  messages,
  crons,
  backend,
}: FakeState): Omit<Handlers, keyof FakeTenantHandlers> {
  const getQueue = (id: number): Queue => {
    const found = queues.get(id)
    if (!found) throw new Problem('queue_not_found', { id })
    return found
  }
  const getMessage = (id: number): Message => {
    const found = messages.get(id)
    if (!found) throw new Problem('message_not_found', { id })
    return found
  }
  const getCron = (id: number): Cron => {
    const found = crons.get(id)
    if (!found) throw new Problem('cron_not_found', { id })
    return found
  }
  const put = (input: MessagePut): Message => {
    getQueue(input.queueId)
    const stored = createMessage(messages.size + 1, input)
    messages.set(stored.id, stored)
    return stored
  }
  const addCron = (input: CronCreate): Cron => {
    getQueue(input.queueId)
    const created = createCron(crons.size + 1, input)
    crons.set(created.id, created)
    return created
  }
  const save = <T extends { id: number }>(records: Map<number, T>, record: T, changes: object): T => {
    const saved = { ...record, ...changes, id: record.id }
    records.set(record.id, saved)
    return saved
  }
  return {
    ...fakeBackendHandlers(backend, body => put({ queueId: 1, body })),
    'queues.list': async (_, { limit, offset, totalCount }) => page([...queues.values()], limit, offset, totalCount),
    'queues.create': async (_, input) => createQueueFrom(queues, input),
    'queues.createMany': async (_, { queues: all }) => createdAll(all.map(one => createQueueFrom(queues, one))),
    'queues.updateMany': async (_, { where, anyOf, fields, ...changes }) =>
      idsIn(queues, where).map(id => save(queues, getQueue(id), changes)),
    'queues.get': async (_, { id }) => getQueue(id),
    'queues.update': async (_, { id, ...changes }) => save(queues, getQueue(id), changes),
    'queues.delete': async (_, { id }) => {
      const found = getQueue(id)
      queues.delete(id)
      return found
    },
    'queues.previewDelete': async (_, { id }) => ({
      cancelled: getQueue(id) ? messages.size : 0,
      crons: 0,
      orphaned: 0,
    }),
    'queues.pause': async (_, { id, reason }) =>
      save(queues, getQueue(id), { pausedAt: NOW, pauseReason: reason ?? null }),
    'queues.resume': async (_, { id }) => save(queues, getQueue(id), { pausedAt: null, pauseReason: null }),
    'queues.purge': async (_, { id }) => ({ cancelled: getQueue(id) ? messages.size : 0, more: false }),
    'queues.redrive': async (_, { id }) => ({ redriven: getQueue(id) ? 1 : 0, more: true }),
    'queues.claim': async (_, { id }) => ({ messages: getQueue(id) ? [] : [] }),
    'queues.acknowledge': async (_, { id, claims }) => {
      const ids = idsOf(getQueue(id), claims)
      return { acknowledged: ids.filter(one => messages.has(one)), lost: ids.filter(one => !messages.has(one)) }
    },
    'queues.reject': async (_, { id, claims }) => ({ retried: [], dead: [], lost: idsOf(getQueue(id), claims) }),
    'queues.extend': async (_, { id, claims }) => ({ extended: [], lost: idsOf(getQueue(id), claims) }),
    'queues.listAttempts': async (_, { id }) => page([], getQueue(id) ? 10 : 0, 0, false),
    'messages.list': async (_, { limit, offset, totalCount, where }) => {
      const own = where.find(({ field }) => field === 'queueId')
      const found = [...messages.values()].filter(({ queueId }) => !own || own.value === queueId)
      return page(found, limit, offset, totalCount)
    },
    'messages.put': async (_, input) => structuredClone(put(input)),
    'messages.putMany': async (_, { messages: all }) => ({
      results: all.map(input => ({ result: 'stored' as const, id: put(input).id })),
    }),
    'messages.get': async (_, { id }) => getMessage(id),
    'messages.update': async (_, { id, ...changes }) => save(messages, getMessage(id), changes),
    'messages.updateMany': async (_, { where, anyOf, fields, ...changes }) =>
      idsIn(messages, where).map(id => save(messages, getMessage(id), changes)),
    'messages.delete': async (_, { id }) => {
      const found = getMessage(id)
      messages.delete(id)
      return found
    },
    'messages.redrive': async (_, { id }) => getMessage(id),
    'messages.cancel': async (_, { id, reason }) =>
      save(messages, getMessage(id), { status: 'cancelled', reason: reason ?? null }),
    'messages.expunge': async (_, { id }) => save(messages, getMessage(id), { body: null, expungedAt: NOW }),
    'messages.resend': async (_, { id }) => getMessage(id),
    'messages.listAttempts': async (_, { id }) => page([], getMessage(id) ? 10 : 0, 0, false),
    'crons.list': async (_, { limit, offset, totalCount, where }) => {
      const own = where.find(({ field }) => field === 'queueId')
      const found = [...crons.values()].filter(({ queueId }) => !own || own.value === queueId)
      return page(found, limit, offset, totalCount)
    },
    'crons.create': async (_, input) => addCron(input),
    'crons.createMany': async (_, { crons: all }) => createdAll(all.map(addCron)),
    'crons.updateMany': async (_, { where, anyOf, fields, ...changes }) =>
      idsIn(crons, where).map(id => save(crons, getCron(id), changes)),
    'crons.get': async (_, { id }) => getCron(id),
    'crons.update': async (_, { id, ...changes }) => save(crons, getCron(id), changes),
    'crons.delete': async (_, { id }) => {
      const found = getCron(id)
      crons.delete(id)
      return found
    },
    'crons.previewDelete': async (_, { id }) => ({ removed: getCron(id) ? 1 : 0, pending: 0, kept: 0 }),
    'crons.run': async (_, { id }) => put({ queueId: getCron(id).queueId }),
    'crons.pause': async (_, { id }) => save(crons, getCron(id), { pausedAt: NOW, nextAt: null, next: [] }),
    'crons.resume': async (_, { id }) => save(crons, getCron(id), { pausedAt: null }),
  }
}

const createdAll = (rows: readonly { id: number }[]) => ({
  results: rows.map(({ id }) => ({ result: 'stored' as const, id })),
})

/** Of conditions, those on the id are enough here. */
function idsIn(records: Map<number, unknown>, where: readonly Condition[]): number[] {
  const named = where.flatMap(({ field, op, value }) => (field === 'id' && op !== 'in' ? [value] : []))
  return [...records.keys()].filter(id => named.every(value => value === id))
}

function createQueueFrom(queues: Map<number, Queue>, input: QueueCreate): Queue {
  const { secrets, ...given } = { ...queue.defaults, ...input } as typeof input
  const created = {
    ...createQueue(queues.size + 1),
    ...given,
    ...resolveRetryPolicy(input),
    signed: !!secrets,
  } as Queue
  queues.set(created.id, created)
  return created
}

const idsOf = (_queue: Queue, claims: readonly { id: number }[]): number[] => claims.map(({ id }) => id)

function page<T>(rows: T[], limit: number, offset: number, totalCount: boolean) {
  return { items: rows.slice(offset, offset + limit), totalCount: totalCount ? rows.length : null }
}

function createQueue(id: number): Partial<Queue> {
  return { id, signed: false, pausedAt: null, pauseReason: null, version: 1, createdAt: NOW, updatedAt: NOW }
}

function createCron(id: number, input: object): Cron {
  const made = { id, pausedAt: null, nextAt: NOW, next: [NOW], createdAt: NOW, updatedAt: NOW }
  return { ...made, ...cron.defaults, ...input } as Cron
}

function createMessage(id: number, { idempotencyKey, ...input }: MessagePut): Message {
  return {
    id,
    when: NOW,
    body: null,
    failed: false,
    headers: null,
    sentAt: null,
    retries: 0,
    cronId: null,
    createdAt: NOW,
    updatedAt: NOW,
    bodyBase64: null,
    status: 'pending',
    reason: idempotencyKey ?? null,
    attempts: 0,
    originId: null,
    expungedAt: null,
    webhookId: `msg_${id}`,
    ...message.defaults,
    ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)),
  } as Message
}
