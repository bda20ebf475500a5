import { expect, test } from 'vitest'
import { engineOf, HandClock, headOf, settled } from '../../test/run-room.ts'
import type { Head, PushEngine } from '../engine/port.ts'
import { silentLog } from '../log.ts'
import type { Load } from './backlog.ts'
import { START } from './cursor.ts'
import { Known } from './known.ts'
import { Loader } from './loader.ts'

function open(parts: Partial<PushEngine>) {
  const clock = new HandClock()
  const known = new Known()
  const promoted: string[] = []
  const engine = engineOf(parts)
  const loader = new Loader({ engine, known, clock, log: silentLog, promoted: () => void promoted.push('look') })
  return { clock, known, loader, promoted }
}

/** A load that writes down what it was given. */
function load(load: object) {
  const got: { heads?: number[]; next?: number | null; more?: boolean; failed?: boolean } = {}
  const done = (first: readonly Head[] | number | null, second?: number | null | boolean): void => {
    if (Array.isArray(first)) got.heads = first.map(({ id }: Head) => id)
    else got.next = first as number | null
    if (typeof second === 'boolean') got.more = second
    else if (second !== undefined) got.next = second
  }
  const failed = (): void => {
    got.failed = true
  }
  return { ...load, bytes: 0, done, failed, got } as unknown as Load & { got: typeof got }
}

const lane = (queueId: number, lane = 0) => load({ kind: 'lane', request: { queueId, lane, after: START, limit: 9 } })
const key = (queueId: number, name: string) =>
  load({ kind: 'key', request: { queueId, key: name, after: START, limit: 9 } })
const due = (queueId: number) =>
  load({ kind: 'due', request: { queueId, slice: 0, after: { dueAt: 0, id: 0 }, limit: 9 } })
const pinned = (queueId: number) => load({ kind: 'pinned', queueId })
const promote = (queueId: number, raised = false) => load({ kind: 'promote', queueId, raised })

test('loads of one kind go in one statement, and each gets its own rows', async () => {
  const asked: unknown[][] = []
  const { loader } = open({
    loadLanes: async requests => {
      asked.push([...requests])
      return [
        headOf(1, { queueId: 5 }),
        headOf(2, { queueId: 5, lane: 3 }),
        headOf(3, { queueId: 6 }),
        headOf(4, { queueId: 5 }),
      ]
    },
    loadKeys: async () => [headOf(7, { queueId: 5, key: 'b' }), headOf(8, { queueId: 5, key: 'a' })],
    loadPinned: async queueIds => {
      asked.push([...queueIds])
      return [headOf(9, { queueId: 6, pin: 1 })]
    },
  })
  const loads = [lane(5), lane(5, 3), lane(6), lane(7), key(5, 'a'), key(5, 'b'), pinned(6), pinned(6), pinned(5)]
  await loader.run(loads, () => {})
  expect(loads.map(({ got }) => got.heads)).toEqual([[1, 4], [2], [3], [], [8], [7], [9], [9], []])
  expect(asked.map(({ length }) => length)).toEqual([4, 2])
})

test('each slice that is no more is moved by itself: one that fails is not over for the others', async () => {
  const moving: (() => void)[] = []
  const { loader, promoted, clock } = open({
    fold: ({ slice }) =>
      slice === 1
        ? Promise.reject(new Error('no'))
        : new Promise(resolve => moving.push(() => resolve({ last: null, more: false }))),
  })
  const loads = [1, 2].map(slice => load({ kind: 'fold', request: { queueId: 5, slice } }))
  const over: unknown[] = []
  const run = loader.run(loads, done => void over.push(...done))
  await clock.pass(300)
  expect(loads.map(({ got }) => got.failed)).toEqual([true, undefined])
  expect(over).toEqual([loads[0]])
  moving[0]!()
  await run
  expect(over).toEqual(loads)
  expect(promoted).toEqual(['look'])
})

test('a load of what is due tells when the next is due, after what it brought', async () => {
  const asked: unknown[] = []
  const { loader } = open({
    loadDue: async () => [headOf(1, { queueId: 5, dueAt: 40 }), headOf(2, { queueId: 5, dueAt: 50 })],
    nextDue: async requests => {
      asked.push(...requests.map(({ after }) => after))
      return [null, 90]
    },
  })
  const loads = [due(5), due(6)]
  await loader.run(loads, () => {})
  expect(loads.map(({ got }) => got)).toEqual([
    { heads: [1, 2], next: null },
    { heads: [], next: 90 },
  ])
  expect(asked).toEqual([
    { dueAt: 50, id: 2 },
    { dueAt: 0, id: 0 },
  ])
})

test('bringing into line tells when the next is due and whether more have a priority, and lets them be found', async () => {
  const { loader, promoted } = open({
    promote: async () => {},
    nextDue: async () => [70, null],
    loadLanes: async requests => {
      expect(requests.every(({ queueId, lane }) => queueId === 6 && lane > 0)).toBe(true)
      expect(requests).toHaveLength(9)
      return [headOf(1, { queueId: 6, lane: 2 })]
    },
  })
  const loads = [promote(5), promote(6, true)]
  await loader.run(loads, () => {})
  expect(loads.map(({ got }) => got)).toEqual([
    { next: 70, more: false },
    { next: null, more: true },
  ])
  expect(promoted).toEqual(['look'])
})

test('of a kind that fails every load has failed, the others are done, and there is a pause', async () => {
  const { clock, loader } = open({
    loadLanes: async () => {
      throw new Error('no connection')
    },
    loadKeys: async () => [],
  })
  const loads = [lane(5), lane(6), key(5, 'a')]
  let isOver = false
  const over: string[] = []
  void loader
    .run(loads, list => void over.push(...list.map(({ kind }) => kind)))
    .then(() => {
      isOver = true
    })
  await settled()
  expect(over).toEqual(['key'])
  expect(loads.map(({ got }) => got)).toEqual([{ failed: true }, { failed: true }, { heads: [] }])
  expect(isOver).toBe(false)
  await clock.pass(500)
  expect(isOver).toBe(true)
  expect(over).toEqual(['key', 'lane', 'lane'])
})

test('what is settled while a load runs stays known until the load has ended, also one that fails', async () => {
  for (const fails of [false, true]) {
    let end = (): void => {}
    const { known, loader, clock } = open({
      loadLanes: () =>
        new Promise((resolve, reject) => {
          end = () => (fails ? reject(new Error('no connection')) : resolve([]))
        }),
    })
    known.add(1)
    void loader.run([lane(5)], () => {})
    known.settled([headOf(1)])
    expect(known.has(headOf(1))).toBe(true)
    end()
    await clock.pass(1000)
    expect(known.has(headOf(1))).toBe(false)
  }
})
