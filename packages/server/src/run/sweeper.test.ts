import { expect, test } from 'vitest'
import { HandClock, settled } from '../../test/run-room.ts'
import type { Snapshot, Sweep } from '../engine/port.ts'
import { silentLog } from '../log.ts'
import { Sweeper } from './sweeper.ts'

const POLL_MS = 1000
const FIRST: Snapshot = { xmin: 10, xmax: 10, xip: [] }

interface Look {
  readonly since: Snapshot
  readonly shards: readonly number[]
  readonly except: readonly number[]
  answer(snapshot: Snapshot, now?: number): Promise<void>
  fail(): Promise<void>
}

async function open() {
  const clock = new HandClock()
  const looks: Look[] = []
  const swept: Sweep[] = []
  let shards = [1, 2]
  const sweeper = new Sweeper({
    engine: {
      snapshot: async () => ({ snapshot: FIRST, now: 5000 }),
      sweep: (since, shards, except) =>
        new Promise((resolve, reject) => {
          const answer = async (snapshot: Snapshot, now = 5000) => {
            resolve({ snapshot, now, found: [], changes: [] })
            await settled()
          }
          const fail = async () => {
            reject(new Error('no connection'))
            await settled()
          }
          looks.push({ since, shards, except, answer, fail })
        }),
    },
    clock,
    log: silentLog,
    shards: () => shards,
    swept: sweep => void swept.push(sweep),
    pollMs: POLL_MS,
  })
  const own = (...ids: number[]) => {
    shards = ids
  }
  await sweeper.start()
  return { clock, looks, swept, sweeper, own }
}

const snapshot = (xmax: number, ...xip: number[]): Snapshot => ({ xmin: Math.min(xmax, ...xip), xmax, xip })

test('each look asks for what had not ended at the last one', async () => {
  const { looks, sweeper, swept } = await open()
  expect(sweeper.xmin).toBe(10)
  sweeper.soon()
  expect(looks[0]!.since).toEqual(FIRST)
  await looks[0]!.answer(snapshot(20, 15))
  expect(sweeper.xmin).toBe(15)
  sweeper.soon()
  expect(looks[1]!.since).toEqual(snapshot(20, 15))
  expect(swept).toHaveLength(1)
})

test('a look that failed is repeated with the same question, soon', async () => {
  const { clock, looks, sweeper, swept } = await open()
  sweeper.soon()
  await looks[0]!.fail()
  expect(swept).toEqual([])
  await clock.pass(300)
  expect(looks[1]!.since).toEqual(FIRST)
  await looks[1]!.answer(snapshot(20))
  expect(swept).toHaveLength(1)
})

test('however often it is called during a look, there is one more after it, and one at a time', async () => {
  const { looks, sweeper } = await open()
  for (let nth = 0; nth < 5; nth++) sweeper.soon()
  expect(looks).toHaveLength(1)
  for (let nth = 0; nth < 5; nth++) sweeper.soon()
  await looks[0]!.answer(snapshot(20))
  expect(looks).toHaveLength(2)
  await looks[1]!.answer(snapshot(21))
  expect(looks).toHaveLength(2)
})

test('without a call it looks at every poll, counted from the end of the last', async () => {
  const { clock, looks } = await open()
  await clock.pass(POLL_MS)
  expect(looks).toHaveLength(1)
  await clock.pass(5 * POLL_MS)
  expect(looks).toHaveLength(1)
  await looks[0]!.answer(snapshot(20))
  await clock.pass(POLL_MS - 1)
  expect(looks).toHaveLength(1)
  await clock.pass(1)
  expect(looks).toHaveLength(2)
})

test('it asks for the shards of the moment', async () => {
  const { looks, sweeper, own } = await open()
  own(7)
  sweeper.soon()
  expect(looks[0]!.shards).toEqual([7])
})

test('what was handed over in memory is left out until a snapshot has it behind', async () => {
  const { looks, sweeper } = await open()
  sweeper.handedOver(12)
  sweeper.handedOver(30)
  sweeper.soon()
  expect(looks[0]!.except).toEqual([12, 30])
  await looks[0]!.answer(snapshot(20, 12))
  sweeper.soon()
  expect(looks[1]!.except).toEqual([12, 30])
  await looks[1]!.answer(snapshot(31))
  sweeper.soon()
  expect(looks[2]!.except).toEqual([])
})

test('its clock is the database’s, and goes on between looks', async () => {
  const { clock, looks, sweeper } = await open()
  expect(sweeper.now()).toBe(5000)
  await clock.pass(300)
  expect(sweeper.now()).toBe(5300)
  sweeper.soon()
  await looks[0]!.answer(snapshot(20), 9000)
  expect(sweeper.now()).toBe(9000)
})

test('whoever waits for the look under way is told when it is over', async () => {
  const { looks, sweeper } = await open()
  await sweeper.settled()
  sweeper.soon()
  let isOver = false
  void sweeper.settled().then(() => {
    isOver = true
  })
  await settled()
  expect(isOver).toBe(false)
  await looks[0]!.answer(snapshot(20))
  expect(isOver).toBe(true)
})

test('once stopped, it does not look and leaves no timer', async () => {
  const { clock, looks, sweeper } = await open()
  sweeper.soon()
  sweeper.stop()
  await looks[0]!.answer(snapshot(20))
  sweeper.soon()
  expect(looks).toHaveLength(1)
  expect(clock.set).toEqual([])
})
