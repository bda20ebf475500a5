import { expect, test } from 'vitest'
import { openPantry, routeOf, shardOf } from '../../test/run-room.ts'
import { randomOf } from '../../test/simulation/virtual-time.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'
import { Round } from './round.ts'

const MOST = 100

function open(most = MOST, sockets = 5 * most, pace = { allows: () => true, started() {} }) {
  const round = new Round<Route>(most, sockets, pace)
  const pantry = openPantry()
  const queueOf = (id: number) => new QueueRun<Route>(id, shardOf(id), pantry)
  const start = (queue: QueueRun<Route>) => {
    queue.inFlight += 1
    round.started(queue)
  }
  const end = (queue: QueueRun<Route>, timedOut = false) => {
    queue.inFlight -= 1
    if (timedOut) queue.window.failed(true)
    round.ended(queue)
  }
  /** Starts what may be started of queues that never run dry. Gives back how many. */
  const fill = (...queues: QueueRun<Route>[]) => {
    let count = 0
    for (const queue of queues) round.add(queue)
    for (let queue = round.next(); queue; queue = round.next()) {
      start(queue)
      round.add(queue)
      count += 1
    }
    return count
  }
  return { round, queueOf, start, end, fill }
}

test('queues take turns', () => {
  const { round, queueOf } = open()
  const queues = [queueOf(1), queueOf(2), queueOf(3)]
  for (const queue of queues) round.add(queue)
  const turns: number[] = []
  for (let nth = 0; nth < 6; nth++) {
    const queue = round.next()!
    turns.push(queue.id)
    round.add(queue)
  }
  expect(turns).toEqual([1, 2, 3, 1, 2, 3])
})

test('a queue has one turn at a time, and none without being added', () => {
  const { round, queueOf } = open()
  const queue = queueOf(1)
  round.add(queue)
  round.add(queue)
  expect(round.next()).toBe(queue)
  expect(round.next()).toBeNull()
})

test('one queue gets no more than half of the node', () => {
  const { queueOf, fill } = open()
  expect(fill(queueOf(1))).toBe(MOST / 2)
})

test('the other half is for queues with few under way, whatever the large ones hold', () => {
  const { round, queueOf, fill } = open()
  const large = [queueOf(1), queueOf(2)]
  fill(...large)
  const small = queueOf(3)
  fill(...large, small)
  expect(small.inFlight).toBe(8)
  expect(large[0]!.inFlight + large[1]!.inFlight).toBe(MOST / 2)
  fill(...Array.from({ length: 30 }, (_, index) => queueOf(10 + index)))
  expect(round.inFlight).toBe(MOST)
})

test('a queue with nothing under way may always start one', () => {
  const { round, queueOf, fill } = open()
  fill(...Array.from({ length: 60 }, (_, index) => queueOf(10 + index)))
  expect(round.inFlight).toBe(MOST)
  const late = queueOf(1)
  expect(fill(late)).toBe(1)
  expect(late.inFlight).toBe(1)
})

test('a queue that had to wait gets its turn when an attempt has ended', () => {
  const { round, queueOf, fill, end } = open()
  const large = queueOf(1)
  fill(large)
  expect(round.next()).toBeNull()
  end(large)
  expect(round.next()).toBe(large)
})

test('however many queues there are, each gets its turn once in a round', () => {
  const { round, queueOf } = open()
  const queues = Array.from({ length: 5000 }, (_, index) => queueOf(index))
  for (const queue of queues) round.add(queue)
  const turns = new Set<number>()
  for (let nth = 0; nth < 5000; nth++) {
    const queue = round.next()!
    turns.add(queue.id)
    round.add(queue)
  }
  expect(turns.size).toBe(5000)
  expect(round.next()).toBe(queues[0])
})

/** Queues whose receivers did not answer, each with the next attempt to make. */
const silentQueues = (queueOf: (id: number) => QueueRun<Route>, count: number) =>
  Array.from({ length: count }, (_, index) => {
    const queue = queueOf(1000 + index)
    queue.window.failed(true)
    return queue
  })

/** Starts one attempt of each of these that may. */
function startOnce(round: Round<Route>, start: (queue: QueueRun<Route>) => void, queues: QueueRun<Route>[]): number {
  let count = 0
  for (const queue of queues) round.add(queue)
  for (let queue = round.next(); queue; queue = round.next()) {
    start(queue)
    count += 1
  }
  return count
}

test('receivers that do not answer share half of the node among them, and take nothing from the others', () => {
  const { round, queueOf, start, fill } = open()
  expect(startOnce(round, start, silentQueues(queueOf, 500))).toBe(MOST / 2)
  expect(fill(queueOf(1))).toBe(MOST / 2)
  fill(...Array.from({ length: 30 }, (_, index) => queueOf(10 + index)))
  expect(round.inFlight).toBe(MOST + MOST / 2)
})

test('each of them has its turn, when an attempt of another is over', () => {
  const { round, queueOf, start, end } = open()
  const queues = silentQueues(queueOf, 120)
  startOnce(round, start, queues)
  const turns = new Set(queues.filter(({ inFlight }) => inFlight > 0))
  for (const first of [...turns]) {
    end(first, true)
    const next = round.next()!
    expect(turns.has(next)).toBe(false)
    turns.add(next)
    start(next)
  }
  expect(turns.size).toBe(MOST)
})

test('a receiver that answers again counts with the others at once', () => {
  const { round, queueOf, start, end } = open()
  const queues = silentQueues(queueOf, 100)
  startOnce(round, start, queues)
  const [back] = queues as [QueueRun<Route>]
  round.add(back)
  back.window.succeeded(10)
  end(back)
  expect(round.next()).toBe(back)
  expect(startOnce(round, start, silentQueues(queueOf, 3))).toBe(1)
})

test('there is an end to what a node starts', () => {
  const { round, queueOf, start, end } = open()
  const queues = Array.from({ length: 1000 }, (_, index) => queueOf(index))
  expect(startOnce(round, start, queues)).toBe(4 * MOST)
  end(queues[0]!)
  expect(round.next()).toBe(queues[4 * MOST])
})

test('with twenty thousand queues parked, an attempt that ends costs the same', () => {
  const { round, queueOf, start, end } = open()
  const large = Array.from({ length: 20_000 }, (_, index) => queueOf(index))
  for (const queue of large) queue.inFlight = 10
  const busy = queueOf(50_000)
  for (let nth = 0; nth < MOST; nth++) start(busy)
  for (const queue of large) round.add(queue)
  expect(round.next()).toBeNull()
  const from = performance.now()
  for (let nth = 0; nth < 10_000; nth++) {
    end(busy)
    expect(round.next() === null).toBe(true)
    start(busy)
    if (nth === 0) expect(round.inFlight).toBe(MOST)
  }
  expect(performance.now() - from).toBeLessThan(2000)
})

/** A queue of a weight, on a node that never runs out of work. */
const weigh = (queue: QueueRun<Route>, weight: number): QueueRun<Route> => {
  queue.configure(routeOf(queue.id, { weight }))
  return queue
}

/** Works a full node for so many attempts, each over after a random while. Gives back how many each queue made. */
function saturate(
  { round, start, end }: ReturnType<typeof open>,
  queues: QueueRun<Route>[],
  attempts: number,
): Map<QueueRun<Route>, number> {
  const random = randomOf(1)
  const underWay: QueueRun<Route>[] = []
  const made = new Map(queues.map(queue => [queue, 0]))
  for (const queue of queues) round.add(queue)
  for (let nth = 0; nth < attempts; nth++) {
    for (let queue = round.next(); queue; queue = round.next()) {
      start(queue)
      made.set(queue, made.get(queue)! + 1)
      round.add(queue)
      underWay.push(queue)
    }
    const over = Math.floor(random() * underWay.length)
    const queue = underWay[over]!
    underWay[over] = underWay.at(-1)!
    underWay.pop()
    end(queue)
  }
  return made
}

test.each([
  ['a few queues', 1000, [5, 10, 20, 40]],
  ['extremes', 4000, [1, 10, 100]],
  ['many queues', 1000, [...Array(100).fill(10), ...Array(10).fill(20), ...Array(10).fill(5)]],
])('when a node is full, %s get turns by their weights, within a tenth', (_what, most, weights) => {
  const room = open(most)
  const queues = weights.map((weight, id) => weigh(room.queueOf(id), weight))
  const made = saturate(room, queues, 60_000)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const sumOf = (weight: number) =>
    queues.reduce((sum, queue) => sum + (queue.weight === weight ? made.get(queue)! : 0), 0)
  const all = [...made.values()].reduce((sum, count) => sum + count, 0)
  for (const weight of new Set(weights)) {
    const share = (weights.filter(other => other === weight).length * weight) / total
    expect(sumOf(weight) / all / share, `weight ${weight}`).toBeGreaterThan(0.9)
    expect(sumOf(weight) / all / share, `weight ${weight}`).toBeLessThan(1.1)
  }
})

test('of more queues than a node has attempts, the heavy ones still get more, and every one its turn', () => {
  const room = open(100)
  const heavy = Array.from({ length: 5 }, (_, id) => weigh(room.queueOf(id), 100))
  const usual = Array.from({ length: 1000 }, (_, id) => room.queueOf(100 + id))
  const made = saturate(room, [...usual, ...heavy], 40_000)
  const mean = (queues: QueueRun<Route>[]) => queues.reduce((sum, one) => sum + made.get(one)!, 0) / queues.length
  expect(mean(heavy) / mean(usual)).toBeGreaterThan(8)
  expect(Math.min(...usual.map(queue => made.get(queue)!))).toBeGreaterThan(0.7 * mean(usual))
})

/** A queue of an org of a weight. */
const own = (queue: QueueRun<Route>, orgId: number, orgWeight = 10, weight = 10): QueueRun<Route> => {
  queue.configure(routeOf(queue.id, { orgId, orgWeight, weight }))
  return queue
}

test('two hundred queues of one org get as many turns together as the single one of another', () => {
  const room = open(400)
  const many = Array.from({ length: 200 }, (_, id) => own(room.queueOf(id), 1))
  const single = own(room.queueOf(1000), 2)
  const turns = new Map([...many, single].map(queue => [queue, 0]))
  for (const queue of turns.keys()) room.round.add(queue)
  for (let nth = 0; nth < 4000; nth++) {
    const queue = room.round.next()!
    turns.set(queue, turns.get(queue)! + 1)
    room.round.add(queue)
  }
  expect(turns.get(single)).toBe(2000)
  expect([...new Set(many.map(queue => turns.get(queue)))]).toEqual([10])
})

test.each([
  ['a few orgs', [5, 10, 20, 40], 3],
  ['extremes', [1, 10, 100], 1],
  ['many orgs', [...Array(50).fill(10), ...Array(5).fill(20), ...Array(5).fill(5)], 2],
])(
  '%s get turns by their weights, whatever their queues weigh, and those get theirs within',
  (_what, weights, queues) => {
    const { round, queueOf } = open()
    const all = weights.flatMap((weight, org) =>
      Array.from({ length: queues }, (_, nth) => own(queueOf(org * 10 + nth), org, weight, nth === 0 ? 20 : 10)),
    )
    const turns = new Map(all.map(queue => [queue, 0]))
    for (const queue of all) round.add(queue)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    for (let nth = 0; nth < 40 * total; nth++) {
      const queue = round.next()!
      turns.set(queue, turns.get(queue)! + 1)
      round.add(queue)
    }
    for (const [org, weight] of weights.entries()) {
      const counts = all.filter(({ route }) => route!.orgId === org).map(queue => turns.get(queue)!)
      const sum = counts.reduce((made, count) => made + count, 0)
      expect(Math.abs(sum - 40 * weight), `org ${org} of weight ${weight}`).toBeLessThanOrEqual(Math.max(2, weight / 5))
      const [heavy, light] = counts
      if (light) expect(Math.abs(heavy! - 2 * light)).toBeLessThanOrEqual(4)
    }
  },
)

test('an org whose weight changes has it from its next turn on', () => {
  const { round, queueOf } = open()
  const [one, other] = [own(queueOf(1), 1), own(queueOf(2), 2)]
  const turns = () => {
    const made = [0, 0]
    for (let nth = 0; nth < 300; nth++) {
      const queue = round.next()!
      made[queue === one ? 0 : 1]! += 1
      round.add(queue)
    }
    return made
  }
  for (const queue of [one, other]) round.add(queue)
  expect(turns()).toEqual([150, 150])
  own(one, 1, 20)
  expect(turns()).toEqual([200, 100])
})

test('a queue of weight 1 beside one of weight 100 always has an attempt under way', () => {
  const room = open()
  const [light, heavy] = [weigh(room.queueOf(1), 1), weigh(room.queueOf(2), 100)]
  const made = saturate(room, [heavy, light], 20_000)
  expect(made.get(light)!).toBeGreaterThan(20_000 / MOST)
  expect(made.get(heavy)!).toBeGreaterThan(20 * made.get(light)!)
})

test('a queue that had used up its window waits behind those that were waiting', () => {
  const { round, queueOf, start, end } = open()
  const [greedy, patient] = [queueOf(1), queueOf(2)]
  for (let nth = 0; nth < 8; nth++) start(patient)
  for (let nth = 0; nth < MOST / 2 - 8; nth++) start(greedy)
  round.add(patient)
  expect(round.next()).toBeNull()
  end(greedy)
  round.add(greedy)
  expect(round.next()).toBe(patient)
})

test('however light all queues are, none stands still', () => {
  const { round, queueOf } = open()
  const queues = [1, 2, 3].map(id => weigh(queueOf(id), 1))
  for (const queue of queues) round.add(queue)
  const turns: number[] = []
  for (let nth = 0; nth < 6; nth++) {
    const queue = round.next()!
    turns.push(queue.id)
    round.add(queue)
  }
  expect(turns).toEqual([1, 2, 3, 1, 2, 3])
})

test('queues whose receivers do nothing but fail are started at one pace, each in its turn, and keep nobody else waiting', () => {
  let left = 3
  const pace = {
    allows: () => left > 0,
    started: () => {
      left -= 1
    },
  }
  const { round, queueOf, fill, start, end } = open(MOST, 5 * MOST, pace)
  const failing = [queueOf(1), queueOf(2), queueOf(3), queueOf(4)]
  for (const queue of failing) for (let nth = 0; nth < 5; nth++) queue.window.failed(false)
  const started: number[] = []
  const startFailing = () => {
    for (const queue of failing) round.add(queue)
    for (let queue = round.next(); queue; queue = round.next()) {
      started.push(queue.id)
      start(queue)
      end(queue)
      round.add(queue)
    }
  }
  startFailing()
  expect(started).toEqual([1, 2, 3])
  const healthy = queueOf(10)
  expect(fill(healthy)).toBe(MOST / 2)
  left = 2
  startFailing()
  expect(started).toEqual([1, 2, 3, 4, 1])
  failing[1]!.window.succeeded(10)
  end(failing[1]!)
  expect(round.next()).toBe(failing[1])
})
