import type { Clock } from '../../clock.ts'
import { engineSuite } from '../engine.suite.ts'
import type { Fixture } from '../fixture.suite.ts'
import { createMemoryEngine } from './engine.ts'
import { MemoryLocks } from './locks.ts'

const NO_TRANSACTIONS = 'each call is one step: nothing of it can be seen half done, or waited for'

function openMemory(): Fixture {
  let time = Date.now()
  const clock: Clock = { now: () => time, monotonic: () => time, setTimer: () => ({ cancel() {} }) }
  const orders = new Map<number, 'none' | 'queue' | 'key'>()
  let gate: Promise<void> | null = null
  const engine = createMemoryEngine({
    shardCount: 8,
    clock,
    beforeCommit: () => gate ?? undefined,
    orderOf: queueId => orders.get(queueId) ?? 'none',
    queueExists: queueId => orders.has(queueId),
  })
  const { store } = engine
  const locks = new MemoryLocks(store)
  return {
    engine,
    locks,
    orgId: 1,
    makeQueue: async (ordered = 'none') => orders.set(orders.size + 1, ordered).size,
    deleteQueue: async queueId => void orders.delete(queueId),
    now: async () => time,
    async pass(ms) {
      time += ms
    },
    async live(id) {
      const row = store.live.get(id)
      if (!row) return null
      const { queueId, attempts, lane, dueAt, retryAt, scheduledAt, originId, pin } = row
      return { queueId, attempts, lane, dueAt, retryAt, scheduledAt, originId, isPinned: pin !== null }
    },
    async history(id) {
      const done = store.done.get(id)
      if (!done) return null
      const { row, outcome, attempts, reason } = done
      return { queueId: row.queueId, outcome, attempts, reason }
    },
    attempts: async id =>
      store.attempts
        .filter(({ messageId }) => messageId === id)
        .map(({ n, outcome, status, error, excerpt }) => ({ n, outcome, status, error, excerpt })),
    async note(change) {
      const xid = store.begin()
      store.changes.push({ xid, change })
      store.end(xid)
    },
    async putLate(messages) {
      let open = () => {}
      gate = new Promise(resolve => {
        open = resolve
      })
      const results = engine.put(messages)
      gate = null
      return {
        commit: () => {
          open()
          return results
        },
      }
    },
    begin: async () => {
      throw new Error(NO_TRANSACTIONS)
    },
    cutSessions: async () => locks.cut('cut by the test'),
    close: async () => {},
  }
}

engineSuite({ name: 'the engine in memory', lacks: { transactions: NO_TRANSACTIONS }, open: async () => openMemory() })
