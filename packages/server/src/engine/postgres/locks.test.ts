import { afterEach, expect, test } from 'vitest'
import { describePostgres, type Opened, openFresh } from '../../../test/databases.ts'
import { migrate } from '../../db/migrate.ts'
import { type DatabaseOptions, openDatabase } from '../../db/open.ts'
import type { Database } from '../../db/port.ts'
import { lockSpaceOf } from '../../db/schema.ts'
import { silentLog } from '../../log.ts'
import { openInstallation } from '../../tenant/installation.ts'
import type { LockHold } from '../port.ts'
import { createPostgresLocks } from './locks.ts'

const KEY = 4711
const opened: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.stop()
})

async function openFirst(lockKey?: number): Promise<Opened> {
  const first = await openFresh('postgres', { lockKey })
  opened.push({ stop: first.remove })
  await migrate(first.db, silentLog)
  await openInstallation(first.db, { shardCount: 8 })
  return first
}
async function openBeside({ options }: Opened, more: Partial<DatabaseOptions>): Promise<Database> {
  const db = await openDatabase({ ...options, ...more }, silentLog)
  opened.push(db)
  return db
}
async function open(db: Database): Promise<LockHold> {
  const hold = await createPostgresLocks(db).open(60_000, () => {})
  opened.push({ stop: () => hold.close() })
  return hold
}
/** Of all locks but those that only say which key is used. */
const keysOf = async (db: Database): Promise<number[]> => {
  const text = `SELECT DISTINCT classid::bigint AS key FROM pg_locks WHERE locktype = 'advisory' AND objid < 2000000 AND objid <> ${KEY}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  return (await db.query<{ key: number }>({ name: '', text })).map(({ key }) => key)
}

describePostgres('the lock key', () => {
  test('is the first key of every lock: of shards, of workers and of the leader [pg-hooks: leader.settings]', async () => {
    const { db } = await openFirst(KEY)
    const hold = await open(db)
    await hold.join()
    expect(await hold.lock([1, 2])).toEqual([1, 2])
    expect(await hold.lead()).toBe(true)
    expect(await keysOf(db)).toEqual([KEY])
    expect([...(await hold.look()).locked].sort()).toEqual([1, 2])
  })

  test('is made from the name of the schema where none is given', async () => {
    const { db } = await openFirst()
    await (await open(db)).lock([1])
    expect(await keysOf(db)).toEqual([lockSpaceOf('posthorn') >>> 0])
  })

  test('must be the same on all nodes of a schema; when the others are gone, another one will do', async () => {
    const first = await openFirst()
    const hold = await open(first.db)
    const other = await openBeside(first, { lockKey: KEY })
    const refusal = 'lockKey must be the same on every node: one that runs was given none'
    await expect(open(other)).rejects.toThrow(refusal)
    await open(await openBeside(first, {}))
    await opened.pop()!.stop()
    await hold.close()
    const again = await open(other)
    expect(await again.lock([1])).toEqual([1])
    const third = await openBeside(first, { lockKey: KEY + 1 })
    await expect(open(third)).rejects.toThrow(`one that runs was given ${KEY}`)
  })

  test('serves one schema of a database', async () => {
    const first = await openFirst(KEY)
    await open(first.db)
    const second = await openBeside(first, { lockKey: KEY, schema: 'other' })
    await expect(open(second)).rejects.toThrow(`lockKey ${KEY} is used by another schema of this database`)
    await open(await openBeside(first, { lockKey: KEY + 1, schema: 'other' }))
  })

  test('is nothing between two databases: each has its own locks, also of the same schema', async () => {
    const [one, two] = [await openFirst(KEY), await openFirst(KEY)]
    const holds = [await open(one.db), await open(two.db)]
    for (const hold of holds) {
      expect(await hold.lock([3])).toEqual([3])
      expect(await hold.lead()).toBe(true)
    }
  })
})
