import { DatabaseError } from '../../src/db/port.ts'
import type { LockHold, Locks, PushEngine, Settlement } from '../../src/engine/port.ts'
import type { Process, VirtualTime } from './virtual-time.ts'

export interface Network {
  readonly time: VirtualTime
  readonly random: () => number
  /** 0 to 1: how often a statement fails, before it is run or after. */
  failureRate: number
  /** A call of this process failed. */
  readonly failed: (process: Process) => void
}

/** A call across the network: it takes time both ways, may be lost on either, and its answer waits for a frozen caller. */
export function call<T>(network: Network, process: Process, run: () => Promise<T>): Promise<T> {
  const { time, random } = network
  const lostOnTheWay = random() < network.failureRate
  const lostOnTheWayBack = random() < network.failureRate
  return new Promise((resolve, reject) => {
    if (!process.isAlive) return
    const answer = (give: () => void) => time.at(latency(random), () => process.do(give))
    const fail = (outcome: 'unsent' | 'unknown') =>
      answer(() => {
        network.failed(process)
        reject(new DatabaseError('the connection was lost', outcome))
      })
    time.at(latency(random), () => {
      if (lostOnTheWay) return fail(random() < 0.5 ? 'unsent' : 'unknown')
      run().then(
        value => (lostOnTheWayBack ? fail('unknown') : answer(() => resolve(value))),
        error => answer(() => reject(error)),
      )
    })
  })
}

const latency = (random: () => number): number => random() * random() * 10

/** An engine across a network. `settled` hears of settles whose commit the node was told of. */
export function remoteEngine(
  engine: PushEngine,
  network: Network,
  process: Process,
  settled: (batch: readonly Settlement[]) => void,
): PushEngine {
  const remote = <A extends unknown[], T>(run: (...args: A) => Promise<T>) => {
    return (...args: A): Promise<T> => call(network, process, () => run(...args))
  }
  return {
    shardCount: engine.shardCount,
    put: remote(engine.put),
    sweep: remote(engine.sweep),
    snapshot: remote(engine.snapshot),
    findWork: remote(engine.findWork),
    loadLanes: remote(engine.loadLanes),
    loadDue: remote(engine.loadDue),
    nextDue: remote(engine.nextDue),
    loadKeys: remote(engine.loadKeys),
    loadPinned: remote(engine.loadPinned),
    loadExpired: remote(engine.loadExpired),
    pin: remote(engine.pin),
    promote: remote(engine.promote),
    fold: remote(engine.fold),
    settle: remote(async (batch, again) => {
      const result = await engine.settle(batch, again)
      const isVoid = (one: Settlement): boolean =>
        result.fenced.some(({ shard, epoch }) => shard === one.tenure.shard && epoch === one.tenure.epoch)
      settled(batch.filter(one => !isVoid(one)))
      return result
    }),
  }
}

/** Locks across the same network; the end of a session reaches a process when it can hear it. */
export function remoteLocks(locks: Locks, network: Network, process: Process): Locks {
  return {
    open: (idleTimeoutMs, ended) =>
      call(network, process, async () => {
        const hold = await locks.open(idleTimeoutMs, reason => process.do(() => ended(reason)))
        const remote = <A extends unknown[], T>(run: (...args: A) => Promise<T>) => {
          return (...args: A): Promise<T> => call(network, process, () => run(...args))
        }
        return {
          join: remote(hold.join),
          leave: remote(hold.leave),
          look: remote(hold.look),
          lock: remote(hold.lock),
          unlock: remote(hold.unlock),
          take: remote(hold.take),
          lead: remote(hold.lead),
          close: () => hold.close(),
        } satisfies LockHold
      }),
  }
}
