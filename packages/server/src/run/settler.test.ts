import { expect, test } from 'vitest'
import { HandClock, headOf, settled, shardOf } from '../../test/run-room.ts'
import { DatabaseError } from '../db/port.ts'
import type { Settled, Settlement, Verdict } from '../engine/port.ts'
import { silentLog } from '../log.ts'
import { silentMeter } from './port.ts'
import { type Finished, Settler } from './settler.ts'
import type { Shard } from './shard.ts'

const NOTHING: Settled = { fenced: [], deadLettered: [], dead: [] }
const DELIVERED: Verdict = { kind: 'delivered' }

interface Call {
  readonly batch: readonly Settlement[]
  readonly again: boolean
  answer(settled?: Partial<Settled>): Promise<void>
  fail(error: Error): Promise<void>
}

function open() {
  const clock = new HandClock()
  const calls: Call[] = []
  const over: { id: number; held: boolean }[] = []
  const pendingThen: number[] = []
  const deadLettered: number[][] = []
  const fenced: number[] = []
  const died: number[][][] = []
  const settler: Settler = new Settler({
    settle: (batch, again) =>
      new Promise((resolve, reject) => {
        const answer = async (more: Partial<Settled> = {}) => {
          resolve({ ...NOTHING, ...more })
          await settled()
        }
        const fail = async (error: Error) => {
          reject(error)
          await settled()
        }
        calls.push({ batch, again, answer, fail })
      }),
    clock,
    log: silentLog,
    meter: { ...silentMeter, fenced: count => void fenced.push(count) },
    settled(finished, held) {
      pendingThen.push(settler.pending)
      over.push(...finished.map(one => ({ id: one.head.id, held: held(one) })))
    },
    happenings: {
      noticeOf: ({ messageId }) => (messageId % 2 === 0 ? { orgId: 1, queueId: 9, body: `${messageId} died` } : null),
      died: deaths => void died.push(deaths.map(({ messageId, attempts }) => [messageId, attempts])),
    },
    deadLettered: queueIds => void deadLettered.push([...queueIds]),
  })
  const shard = shardOf(1)
  return { clock, calls, over, pendingThen, deadLettered, settler, shard, fenced, died }
}

function finished(id: number, shard: Shard, more: Partial<Finished> = {}): Finished {
  const attempt = {
    n: 1,
    startedAt: 1,
    durationMs: 1,
    status: 500,
    errorCode: 'http_status',
    error: 'it said no',
    excerpt: 'no',
    queueVersion: 1,
  }
  return { head: headOf(id), shard, verdict: DELIVERED, attempt, urgent: false, ...more }
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
const idsOf = (call: Call | undefined) => call?.batch.map(({ id }) => id)
const rejected = (sqlState: string) => new DatabaseError('refused', 'rejected', { sqlState })

test('outcomes that come together go in one statement, under the epochs of their shards', async () => {
  const { clock, calls, over, settler, shard } = open()
  settler.add(finished(1, shard))
  settler.add(finished(2, shardOf(7, { epoch: 9 })))
  expect(calls).toHaveLength(0)
  await clock.pass(1)
  expect(calls).toHaveLength(1)
  expect(calls[0]!.again).toBe(false)
  expect(calls[0]!.batch).toMatchObject([
    { id: 1, orgId: 1, queueId: 1, attempts: 0, tenure: { shard: 1, epoch: 1 } },
    { id: 2, tenure: { shard: 7, epoch: 9 } },
  ])
  expect(over).toEqual([])
  await calls[0]!.answer()
  expect(over).toEqual([
    { id: 1, held: true },
    { id: 2, held: true },
  ])
})

test('outcomes wait for others where others come, and hardly where they come one by one', async () => {
  const { clock, calls, settler, shard } = open()
  const sizesOf = async (count: number, apartMs: number) => {
    const sizes: number[] = []
    for (const id of range(count)) {
      settler.add(finished(id, shard))
      await clock.pass(apartMs)
      for (const call of calls.splice(0)) {
        sizes.push(call.batch.length)
        await call.answer()
      }
    }
    return sizes
  }
  expect(await sizesOf(4, 3)).toEqual([1, 1, 1, 1])
  const [first, ...later] = await sizesOf(500, 0.125)
  expect(first).toBe(8)
  expect(later.length).toBeGreaterThan(8)
  for (const size of later) expect(size).toBeGreaterThanOrEqual(40)
  await clock.pass(5)
  await calls.pop()?.answer()
  expect(await sizesOf(6, 3)).toEqual([2, 1, 1, 1, 1])
})

test('what others wait for goes at once, with all that waits', async () => {
  const { calls, settler, shard } = open()
  settler.add(finished(1, shard))
  settler.add(finished(2, shard, { urgent: true }))
  expect(idsOf(calls[0])).toEqual([1, 2])
})

test('a full batch goes at once, and no statement is larger', async () => {
  const { clock, calls, settler, shard } = open()
  for (const id of range(1200)) settler.add(finished(id, shard))
  expect(calls.map(({ batch }) => batch.length)).toEqual([500, 500])
  await clock.pass(10)
  expect(calls).toHaveLength(2)
  expect(settler.pending).toBe(1200)
  await calls[0]!.answer()
  await clock.pass(10)
  expect(calls.map(({ batch }) => batch.length)).toEqual([500, 500, 200])
  expect(settler.pending).toBe(700)
  await calls[1]!.answer()
  await calls[2]!.answer()
  expect(settler.pending).toBe(0)
})

test('a batch that was not stored is tried again until it is, however long it takes', async () => {
  const { clock, calls, over, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  for (let nth = 0; nth < 20; nth++) {
    await calls[nth]!.fail(new DatabaseError('no connection', 'unsent'))
    await clock.pass(nth < 3 ? 1000 : 2000)
    expect(calls).toHaveLength(nth + 2)
  }
  expect(calls.at(-1)!.again).toBe(false)
  await calls.at(-1)!.answer()
  expect(over).toEqual([{ id: 1, held: true }])
})

test('a batch that may have been stored is tried again as such, also when the next try did not get there', async () => {
  const { clock, calls, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  await calls[0]!.fail(new DatabaseError('deadlock', 'rejected', { sqlState: '40P01' }))
  await clock.pass(1000)
  await calls[1]!.fail(new DatabaseError('lost', 'unknown'))
  await clock.pass(1000)
  await calls[2]!.fail(new DatabaseError('no connection', 'unsent'))
  await clock.pass(1000)
  expect(calls.map(({ again }) => again)).toEqual([false, false, true, true])
})

test('what waits while the database is away counts as pending', async () => {
  const { clock, calls, settler, shard } = open()
  for (const id of range(700)) settler.add(finished(id, shard))
  await clock.pass(10)
  for (const call of [...calls]) await call.fail(new DatabaseError('no connection', 'unsent'))
  expect(settler.pending).toBe(700)
})

test('the row that the server refuses is found, and recorded without its texts; its neighbours keep theirs', async () => {
  const { calls, over, settler, shard } = open()
  const dead: Verdict = { kind: 'dead', reason: 'bad', deadLetterQueueId: null }
  for (const id of range(7)) settler.add(finished(id, shard, { verdict: dead, urgent: id === 7 }))
  const bad = 5
  // An urgent one took the first batch along: answer whatever is asked, refusing the bad one while it has its texts.
  for (let nth = 0; nth < calls.length; nth++) {
    const call = calls[nth]!
    const row = call.batch.find(({ id }) => id === bad)
    if (row?.attempt?.excerpt) await call.fail(rejected('22021'))
    else await call.answer()
  }
  expect(over.map(({ id }) => id).sort()).toEqual(range(7))
  const stored = calls.flatMap(({ batch }) => batch.filter(({ id }) => id === bad)).at(-1)!
  expect(stored.attempt).toMatchObject({ error: null, excerpt: null, status: 500 })
  expect(stored.verdict).toEqual({ kind: 'dead', reason: 'see the log', deadLetterQueueId: null })
  const good = calls.flatMap(({ batch }) => batch.filter(({ id }) => id === 4)).at(-1)!
  expect(good).toMatchObject({ attempt: { excerpt: 'no' }, verdict: { reason: 'bad' } })
})

test('a missing partition is waited for: the rows are fine', async () => {
  const { clock, calls, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  await calls[0]!.fail(rejected('23514'))
  expect(calls).toHaveLength(1)
  await clock.pass(1000)
  expect(calls[1]!.batch[0]!.attempt).toMatchObject({ excerpt: 'no' })
})

test('a row that is refused without its texts is tried again and again, and not divided for ever', async () => {
  const { clock, calls, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true, attempt: null }))
  await calls[0]!.fail(rejected('22021'))
  expect(calls).toHaveLength(1)
  await clock.pass(1000)
  expect(calls).toHaveLength(2)
})

test('what another node owns by now is over and was not held', async () => {
  const { calls, over, settler, shard, fenced } = open()
  settler.add(finished(1, shard))
  settler.add(finished(2, shardOf(2), { urgent: true }))
  await calls[0]!.answer({ fenced: [{ shard: 1, epoch: 1 }] })
  expect(over).toEqual([
    { id: 1, held: false },
    { id: 2, held: true },
  ])
  expect(fenced).toEqual([1])
})

test('a fence of another epoch is not ours', async () => {
  const { calls, over, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  await calls[0]!.answer({ fenced: [{ shard: 1, epoch: 7 }] })
  expect(over).toEqual([{ id: 1, held: true }])
})

test('a shard that was taken again by its own node while the settle was on its way is settled under the new epoch', async () => {
  const { calls, over, settler, shard, fenced } = open()
  settler.add(finished(1, shard))
  settler.add(finished(2, shardOf(2), { urgent: true }))
  shard.epoch = 2
  await calls[0]!.answer({ fenced: [{ shard: 1, epoch: 1 }] })
  expect(over).toEqual([{ id: 2, held: true }])
  expect(calls[1]).toMatchObject({ again: true, batch: [{ id: 1, tenure: { shard: 1, epoch: 2 } }] })
  await calls[1]!.answer()
  expect(over.at(-1)).toEqual({ id: 1, held: true })
  expect(fenced).toEqual([])
  expect(settler.pending).toBe(0)
})

test('a shard that was lost is not waited for', async () => {
  const { calls, over, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  Object.assign(shard, { epoch: 2, state: 'lost' })
  await calls[0]!.answer({ fenced: [{ shard: 1, epoch: 1 }] })
  expect(over).toEqual([{ id: 1, held: false }])
})

test('queues that received dead letters are told', async () => {
  const { calls, deadLettered, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  await calls[0]!.answer({ deadLettered: [8, 9] })
  expect(deadLettered).toEqual([[8, 9]])
})

test('a death brings its notice along, and is told when it is committed: what did not die is not', async () => {
  const { clock, calls, settler, shard, died } = open()
  const verdict: Verdict = { kind: 'dead', reason: 'used up', deadLetterQueueId: null }
  for (const id of [1, 2, 4]) settler.add(finished(id, shard, { verdict }))
  settler.add(finished(6, shard, { urgent: true, verdict: { kind: 'retry', at: 9, inPlace: true } }))
  expect(calls[0]!.batch.map(({ notice }) => notice?.body ?? null)).toEqual([null, '2 died', '4 died', null])
  await calls[0]!.fail(new DatabaseError('no connection', 'unsent'))
  await clock.pass(1000)
  expect(died).toEqual([])
  await calls[1]!.answer({ dead: [1, 2] })
  expect(died).toEqual([
    [
      [1, 1],
      [2, 1],
    ],
  ])
})

test('once stopped, it tries nothing again', async () => {
  const { clock, calls, settler, shard } = open()
  settler.add(finished(1, shard, { urgent: true }))
  settler.add(finished(2, shard))
  settler.stop()
  await calls[0]!.fail(new DatabaseError('no connection', 'unsent'))
  await clock.pass(60_000)
  expect(calls).toHaveLength(1)
})

test('what may have been stored is divided as such', async () => {
  const { clock, calls, settler, shard } = open()
  settler.add(finished(1, shard))
  settler.add(finished(2, shard, { urgent: true }))
  await calls[0]!.fail(new DatabaseError('lost', 'unknown'))
  await clock.pass(1000)
  await calls[1]!.fail(rejected('22021'))
  expect(calls[2]).toMatchObject({ again: true, batch: [{ id: 1 }] })
  await calls[2]!.fail(rejected('22021'))
  expect(calls[3]).toMatchObject({ again: true, batch: [{ id: 1, attempt: { excerpt: null } }] })
  await calls[3]!.answer()
  expect(calls[4]).toMatchObject({ again: true, batch: [{ id: 2 }] })
})

test('whoever is told that outcomes are settled finds them pending no more', async () => {
  const { clock, calls, pendingThen, settler, shard } = open()
  for (const id of range(700)) settler.add(finished(id, shard))
  await clock.pass(10)
  await calls[0]!.answer()
  await calls[1]!.answer()
  expect(pendingThen).toEqual([200, 0])
})

test('what was delivered is settled by itself, however many fail beside it', async () => {
  const { clock, calls, settler, shard } = open()
  const retry: Verdict = { kind: 'retry', at: 9, inPlace: false }
  for (const id of range(6)) settler.add(finished(id, shard, id % 3 === 0 ? { verdict: retry } : {}))
  await clock.pass(5)
  expect(calls.map(idsOf)).toEqual([[1, 2, 4, 5]])
  await clock.pass(20)
  expect(idsOf(calls[1])).toEqual([3, 6])
  for (const call of calls) await call.answer()
  expect(settler.pending).toBe(0)
})
