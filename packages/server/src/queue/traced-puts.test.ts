import { Problem } from '@posthorn/contract'
import { expect, test } from 'vitest'
import type { Executor } from '../db/port.ts'
import type { NewMessage, PutResult } from '../engine/port.ts'
import type { Carrier, Described, Tracing } from '../tracing.ts'
import type { QueueConfig } from './book.ts'
import type { Messages } from './messages.ts'
import { tracePuts, traceTicks } from './traced-puts.ts'

const OWN = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

/** Spans as they ended; `declines`: those of this name are recorded by nobody. */
function watched(declines = '') {
  const ended: string[] = []
  const open = ({ name, attributes }: Described) => {
    const count = attributes['messaging.batch.message_count']
    if (name === declines) return null
    return {
      carrier: OWN,
      end: (error: string | null) => void ended.push([name, count, error].filter(Boolean).join(' ')),
    }
  }
  const tracing = { call: open, begin: open } as unknown as Tracing
  return { ended, tracing }
}

/** Queues 1 and 2 are in memory, 3 has to be asked for, others are not. */
function books() {
  const asked: number[] = []
  const queue = (id: number) => ({ id, name: `queue ${id}` }) as QueueConfig
  return {
    asked,
    get: (id: number) => (id < 3 ? queue(id) : undefined),
    async find(ids: readonly number[]) {
      asked.push(...ids)
      return new Map(ids.map(id => [id, id < 4 ? queue(id) : null]))
    },
  }
}

/** Messages that only say what trace they were put with. */
function puts(fails?: unknown) {
  const carried: (Carrier | undefined)[] = []
  const put = async ({ trace }: { trace?: Carrier }) => {
    carried.push(trace)
    if (fails) throw fails
  }
  return { carried, messages: { put, putMany: put } as unknown as Messages }
}

const caller = { orgId: 1 }

test('a put is described by its queue, which is asked for only where it is not in memory', async () => {
  const { ended, tracing } = watched()
  const { carried, messages } = puts()
  const book = books()
  const traced = tracePuts(messages, tracing, book)
  for (const queueId of [1, 3, 4]) await traced.put(caller, { queueId })
  expect(ended).toEqual(['put queue 1', 'put queue 3', 'put 4'])
  expect(book.asked).toEqual([3, 4])
  expect(carried).toEqual([OWN, OWN, OWN])
})

test('many messages of one call have one span, with the name of their queue if it is one', async () => {
  const { ended, tracing } = watched()
  const { messages } = puts()
  const traced = tracePuts(messages, tracing, books())
  await traced.putMany(caller, { messages: [{ queueId: 1 }, { queueId: 1 }] })
  await traced.putMany(caller, { messages: [{ queueId: 1 }, { queueId: 2 }, { queueId: 1 }] })
  expect(ended).toEqual(['put queue 1 2', 'put 3'])
})

test('a put that nobody records is put as its caller gave it', async () => {
  const { ended, tracing } = watched('put queue 1')
  const { carried, messages } = puts()
  const traced = tracePuts(messages, tracing, books())
  await traced.put(caller, { queueId: 1 })
  await traced.put({ ...caller, trace: OWN }, { queueId: 1 })
  await traced.putMany(caller, { messages: [{ queueId: 1 }] })
  expect([carried, ended]).toEqual([[undefined, OWN, undefined], []])
})

test('a put that is refused ends its span with the code, any other failure without its text', async () => {
  const { ended, tracing } = watched()
  for (const fails of [new Problem('queue_not_found', { id: 1 }), new Error('secret')]) {
    const { messages } = puts(fails)
    await expect(tracePuts(messages, tracing, books()).put(caller, { queueId: 1 })).rejects.toBe(fails)
  }
  expect(ended).toEqual(['put queue 1 queue_not_found', 'put queue 1 error'])
})

const tick = (queueId: number, headers: string | null = null) => ({ queueId, headers }) as NewMessage
const stored: PutResult[] = []

/** A transaction in which queue 3 is known. */
function transaction() {
  const asked: unknown[] = []
  const query = async (_: unknown, params: unknown) => {
    asked.push(params)
    return [{ id: 3, name: 'three' }]
  }
  return { asked, tx: { query } as unknown as Executor }
}

test('each tick begins a trace, described by its queue; the transaction is asked only for names that are not in memory', async () => {
  const { ended, tracing } = watched('put queue 2')
  const { asked, tx } = transaction()
  const given = [tick(1, '{"a":"b"}'), tick(2), tick(3), tick(1, JSON.stringify(OWN))]
  let put: readonly NewMessage[] = []
  const within = async (_: Executor, messages: readonly NewMessage[]) => {
    put = messages
    return stored
  }
  expect(await traceTicks(within, tracing, books())(tx, given)).toBe(stored)
  expect(put.map(({ headers }) => headers && JSON.parse(headers))).toEqual([{ a: 'b', ...OWN }, null, OWN, OWN])
  expect(asked).toEqual([[[3]]])
  expect(ended).toEqual(['put queue 1', 'put three'])
})

test('ticks that could not be stored end their spans with an error', async () => {
  const { ended, tracing } = watched()
  const fails = new Error('gone')
  const within = () => Promise.reject(fails)
  await expect(traceTicks(within, tracing, books())(transaction().tx, [tick(1), tick(2)])).rejects.toBe(fails)
  expect(ended).toEqual(['put queue 1 error', 'put queue 2 error'])
})
