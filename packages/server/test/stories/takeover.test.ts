import { afterEach, beforeEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import { Api } from '../harness/api.ts'
import { demandAll, Ledger } from '../harness/ledger.ts'
import { Load, pause } from '../harness/load.ts'
import { type NodeProcess, startNode, stopAll } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import { named, TcpProxy } from '../harness/proxy.ts'
import { type Arrival, Receiver } from '../harness/receiver.ts'
import { measured, scale } from '../harness/scale.ts'

/** What the guarantee says, and what a loaded machine may add to it. */
const TAKEOVER_MS = 3000
const MARGIN_MS = 500
/** The caller of a queue whose put a node that is cut off does not answer has nothing delivered until it gives up. */
const PATIENCE_MS = 1000
const QUEUES = 12
const ROUNDS = scale('ROUNDS', 1)
const LOCK_SESSION = named('posthorn locks')

/** Three nodes, each with a way of its own to one PostgreSQL. */
let place: Place
let receiver: Receiver
let nodes: NodeProcess[]
let proxies: TcpProxy[]
let ledger: Ledger
let load: Load
let reachable: Set<NodeProcess>

beforeEach(async () => {
  place = await openPostgres()
  receiver = await Receiver.start()
  ledger = new Ledger()
  proxies = await Promise.all([0, 1, 2].map(() => TcpProxy.start(place.address())))
  nodes = await Promise.all(proxies.map(proxy => startNode(place.through(proxy.port))))
  reachable = new Set(nodes)
  const lanes = []
  for (let i = 0; i < QUEUES; i++) {
    const queue = await nodes[0]!.api.createQueue({ callbackUrl: `${receiver.url}/${i}`, ordered: 'queue' })
    lanes.push({ queueId: queue.id, name: `lane${i}` })
  }
  load = new Load(() => [...reachable].map(({ url }) => new Api(url, PATIENCE_MS)), ledger, lanes, 5)
  await receiver.waitFor(
    ({ arrivals }) => new Set(arrivals.map(({ path }) => path)).size === QUEUES,
    'a delivery on every queue',
  )
})

afterEach(async () => {
  await load.stop()
  await stopAll()
  await Promise.all(proxies.map(proxy => proxy.stop()))
  await receiver.stop()
  await place.close()
})

describePostgres('with three nodes, delivery goes on within 3 s and order holds', () => {
  const faults: readonly [string, (node: NodeProcess, proxy: TcpProxy) => unknown][] = [
    ['every connection of a node is cut', (_, proxy) => expect(proxy.cut()).toBeGreaterThan(1)],
    ['a node is unplugged', (_, proxy) => proxy.unplug()],
    ['the lock session alone is cut while the pool lives', (_, proxy) => expect(proxy.cut(LOCK_SESSION)).toBe(1)],
    [
      'the lock session alone goes silent while the pool lives',
      (_, proxy) => expect(proxy.silence(LOCK_SESSION)).toBe(1),
    ],
    [
      'every connection that a node has goes silent, while new ones pass',
      (_, proxy) => expect(proxy.silence()).toBeGreaterThan(1),
    ],
    ['a node is killed', node => node.kill()],
  ]

  test.each(faults)('when %s', { timeout: 60_000 * ROUNDS }, async (what, strike) => {
    const pauses: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const victim = nodes[round % 3]!
      reachable.delete(victim)
      const at = performance.now()
      ledger.fault(at, TAKEOVER_MS)
      await strike(victim, proxies[round % 3]!)
      await goesOn(at)
      pauses.push(longestPause(at))
      await restore(round % 3)
    }
    await settleAndJudge()
    expect(Math.max(...pauses), 'the longest pause of any queue, in milliseconds').toBeLessThan(TAKEOVER_MS + MARGIN_MS)
    measured(`three nodes: ${what}`, { rounds: ROUNDS, 'longest pause (ms)': Math.round(Math.max(...pauses)), lost: 0 })
  })

  test('when the server ends the lock session of a node', { timeout: 60_000 }, async () => {
    const at = performance.now()
    ledger.fault(at, TAKEOVER_MS)
    expect(await place.terminate('posthorn locks')).toBe(3)
    await goesOn(at)
    expect(longestPause(at)).toBeLessThan(TAKEOVER_MS + MARGIN_MS)
    await settleAndJudge()
  })

  test('when a node is frozen for 10 s and wakes, it changes nothing that is no longer its own', {
    timeout: 60_000,
  }, async () => {
    const victim = nodes[0]!
    reachable.delete(victim)
    const at = performance.now()
    ledger.fault(at, TAKEOVER_MS)
    victim.freeze()
    await goesOn(at)
    const pauseMs = longestPause(at)
    await pause(Math.max(0, at + 10_000 - performance.now()))
    victim.thaw()
    const wokenAt = performance.now()
    await pause(2000)
    reachable.add(victim)
    await goesOn(performance.now())
    await settleAndJudge()
    expect(victim.alive).toBe(true)
    expect(longestPause(wokenAt), 'nothing stops when it wakes').toBeLessThan(TAKEOVER_MS + MARGIN_MS)
    expect(pauseMs).toBeLessThan(TAKEOVER_MS + MARGIN_MS)
    measured('three nodes: a node frozen for 10 s', { 'longest pause (ms)': Math.round(pauseMs), lost: 0 })
  })
})

/** Every queue delivers something that came after this moment. */
async function goesOn(at: number): Promise<void> {
  const delivering = (arrivals: readonly Arrival[]): number =>
    new Set(arrivals.filter(arrival => arrival.at > at + 50).map(({ path }) => path)).size
  await receiver.waitFor(({ arrivals }) => delivering(arrivals) === QUEUES, 'a delivery on every queue after the fault')
  await pause(500)
}

/** The longest time from `at` on in which some queue delivered nothing. */
function longestPause(at: number): number {
  const now = performance.now()
  const gaps = Array.from({ length: QUEUES }, (_, i) => {
    const times = [at, ...receiver.at(`/${i}`).map(arrival => arrival.at), now].filter(time => time >= at)
    return Math.max(...times.slice(1).map((time, j) => time - times[j]!))
  })
  return Math.max(...gaps)
}

async function restore(index: number): Promise<void> {
  const node = nodes[index]!
  proxies[index]!.plug()
  if (node.alive) proxies[index]!.cut()
  else nodes[index] = await startNode(place.through(proxies[index]!.port))
  ledger.fault(performance.now(), TAKEOVER_MS)
  reachable = new Set(nodes)
  await goesOn(performance.now())
}

async function settleAndJudge(): Promise<void> {
  await load.stop()
  await demandAll(ledger, receiver)
}
