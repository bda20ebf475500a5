import type { Database, LockSession } from '../../db/port.ts'
import { lockSpaceOf } from '../../db/schema.ts'
import type { LockHold, Locks, Taken } from '../port.ts'
import { list } from './encode.ts'
import { statements } from './statements.ts'

/** Second keys of the two-part advisory locks. Shards have their own number; there are never this many. */
const MEMBERSHIP = 1_000_001
const LEADERSHIP = 1_000_002

/**
 * The locks of several nodes on one PostgreSQL: advisory locks of a session of their own.
 * Opening rejects while another node of this schema uses another lock key, or another schema uses this one: both nodes
 * would serve the same shards, or each would keep some from the other.
 */
export function createPostgresLocks(db: Database): Locks {
  return {
    async open(idleTimeoutMs, ended) {
      const session = await db.openLockSession({ idleTimeoutMs, ended })
      try {
        await markKey(session, db)
      } catch (error) {
        await session.close()
        throw error
      }
      return holdOf(session, `${db.lockSpace}`)
    },
  }
}

/** Marks first and looks then: of two that come at once, one at least sees the other. */
async function markKey(session: LockSession, { schema, lockSpace }: Database): Promise<void> {
  const own = lockSpaceOf(schema)
  const marks = [`${lockSpaceOf(`lock key of ${schema}`)}`, `${lockSpace}`, `${own | 0x8000_0000}`]
  await session.rows(statements.markKey, marks)
  const [row] = await session.rows(statements.findStrangers, marks)
  const [otherKey, isShared] = row!
  if (otherKey !== null) {
    const given = Number(otherKey) === own >>> 0 ? 'none' : otherKey
    throw new Error(`lockKey must be the same on every node: one that runs was given ${given}`)
  }
  if (isShared === 'true') throw new Error(`lockKey ${lockSpace} is used by another schema of this database`)
}

function holdOf(session: LockSession, space: string): LockHold {
  return {
    join: () => ignore(session.rows(statements.join, [space, `${MEMBERSHIP}`])),
    leave: () => ignore(session.rows(statements.leave, [space, `${MEMBERSHIP}`])),
    async look() {
      const [row] = await session.rows(statements.look, [space, `${MEMBERSHIP}`])
      return { members: Number(row![0]), locked: row![1] === null ? [] : row![1]!.split(',').map(Number) }
    },
    lock: async shards => (await session.rows(statements.lock, [space, list(shards)])).map(row => Number(row[0])),
    unlock: shards => ignore(session.rows(statements.unlock, [space, list(shards)])),
    async take(shards, owner) {
      return (await session.rows(statements.take, [list(shards), owner])).map(takenOf)
    },
    lead: async () => (await session.rows(statements.lead, [space, `${LEADERSHIP}`]))[0]![0] === 'true',
    close: () => session.close(),
  }
}

function takenOf([shard, epoch, previous]: readonly (string | null)[]): Taken {
  return { shard: Number(shard), epoch: Number(epoch), previousEpoch: Number(previous) }
}

async function ignore(rows: Promise<unknown>): Promise<void> {
  await rows
}

/** How many workers there are, for a node that is none itself. @throws DatabaseError */
export async function countWorkers(db: Database): Promise<number> {
  const [row] = await db.rows(statements.look, [`${db.lockSpace}`, `${MEMBERSHIP}`])
  return Number(row![0])
}

/** The embedded database has one session and so one node: every lock is free, and free for it alone. */
export function createSoloLocks(db: Database, shardCount: number): Locks {
  return {
    async open() {
      const held = new Set<number>()
      let isOpen = true
      const said = async <T>(act: () => T): Promise<T> => {
        if (!isOpen) throw new Error('the lock session has ended')
        return act()
      }
      return {
        join: () => said(() => {}),
        leave: () => said(() => {}),
        look: () => said(() => ({ members: 1, locked: [...held] })),
        lock: shards =>
          said(() => {
            const free = shards.filter(shard => shard < shardCount && !held.has(shard))
            for (const shard of free) held.add(shard)
            return free
          }),
        unlock: shards =>
          said(() => {
            for (const shard of shards) held.delete(shard)
          }),
        take: async (shards, owner) => {
          const rows = await said(() => db.rows(statements.take, [list(shards), owner]))
          return rows.map(takenOf)
        },
        lead: () => said(() => true),
        async close() {
          isOpen = false
        },
      }
    },
  }
}
