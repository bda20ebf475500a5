/**
 * A key that is revoked on one node ends on the others: within `pollInterval` if no notification arrives, at once if one
 * does. Two nodes' books over one database, with the second one's clock in the test's hand.
 */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import type { Database } from '../../src/db/port.ts'
import { createPostgresEngine } from '../../src/engine/postgres/engine.ts'
import { silentLog } from '../../src/log.ts'
import { Sweeper } from '../../src/run/sweeper.ts'
import { openInstallation } from '../../src/tenant/installation.ts'
import { eachDatabase } from '../databases.ts'
import { openTenantRoom } from '../queue-room.ts'
import { HandClock } from '../run-room.ts'

const SHARDS = 4
const { pollIntervalMs } = loadConfig({
  env: {},
  flags: {},
  readFile() {
    throw Object.assign(new Error('none'), { code: 'ENOENT' })
  },
})

/** A node as far as it knows keys: it looks for changes as often as one does, and hears of none. */
function openSecondNode(db: Database, instanceOrgId: number) {
  let asked = 0
  const counted: Database = Object.assign(Object.create(db), {
    query(statement: { name: string }, params: never) {
      if (/FROM unnest\(\$1::text\[\]\) AS h/.test((statement as { text?: string }).text ?? '')) asked += 1
      return db.query(statement as never, params)
    },
  })
  const room = openTenantRoom(counted, instanceOrgId)
  const clock = new HandClock()
  const sweeper = new Sweeper({
    engine: createPostgresEngine(db, SHARDS),
    clock,
    log: silentLog,
    shards: () => [],
    pollMs: pollIntervalMs,
    swept({ changes }) {
      for (const { kind, queueId } of changes) if (kind === 'tenant') room.forget(queueId)
    },
  })
  return { clock, sweeper, asked: () => asked, find: async (token: string) => room.tenants.findKey(token) }
}

eachDatabase('a key that is revoked on another node', open => {
  let instanceOrgId: number
  let first: ReturnType<typeof openTenantRoom>
  let orgs = 0
  beforeAll(async () => {
    ;({ instanceOrgId } = await openInstallation(open(), { shardCount: SHARDS }))
    first = openTenantRoom(open(), instanceOrgId)
  })

  const makeKey = async (orgId: number) =>
    first.handlers['keys.create']({ orgId }, { name: 'k', scopes: ['*'] }) as Promise<{ id: number; token: string }>
  const makeOrg = async () => (await first.handlers['orgs.create']({ orgId: 0 }, { name: `org-${orgs++}` })).id

  let second: ReturnType<typeof openSecondNode>
  beforeEach(async () => {
    second = openSecondNode(open(), instanceOrgId)
    await second.sweeper.start()
    return () => second.sweeper.stop()
  })
  /** Until the second node looks by itself, and has looked. */
  const pollOnce = async (): Promise<void> => {
    await second.clock.pass(pollIntervalMs)
    await second.sweeper.settled()
  }

  test('is refused when that node has looked once, which it does within a second', async () => {
    expect(pollIntervalMs).toBeLessThanOrEqual(1000)
    const orgId = await makeOrg()
    const [key, other] = [await makeKey(orgId), await makeKey(orgId)]
    expect(await second.find(key.token)).toMatchObject({ id: key.id, orgId })
    await first.handlers['keys.delete']({ orgId }, { id: key.id })
    await second.clock.pass(pollIntervalMs - 1)
    expect(await second.find(key.token), 'not looked yet').not.toBeNull()
    await second.clock.pass(1)
    await second.sweeper.settled()
    expect(await second.find(key.token)).toBeNull()
    expect(await second.find(other.token)).toMatchObject({ id: other.id })
  })

  test('and so is every key of an org that is deleted', async () => {
    const orgId = await makeOrg()
    const key = await makeKey(orgId)
    expect(await second.find(key.token)).not.toBeNull()
    await first.handlers['orgs.delete']({ orgId: 0 }, { id: orgId })
    await pollOnce()
    expect(await second.find(key.token)).toBeNull()
  })

  test('costs the keys of other orgs no look-up, however many there are and however often keys change', async () => {
    const others: { token: string }[] = []
    for (let i = 0; i < 20; i++) others.push(await makeKey(await makeOrg()))
    const orgId = await makeOrg()
    const kept = await makeKey(orgId)
    const know = () => Promise.all([kept, ...others].map(({ token }) => second.find(token)))
    await pollOnce()
    await know()
    const before = second.asked()
    expect(before).toBeGreaterThan(0)
    for (let round = 1; round <= 3; round++) {
      await first.handlers['keys.delete']({ orgId }, { id: (await makeKey(orgId)).id })
      await pollOnce()
      expect((await know()).every(key => key !== null)).toBe(true)
      expect(second.asked(), 'one, for the org whose key it was').toBe(before + round)
    }
    await first.handlers['keys.delete']({ orgId }, { id: (await makeKey(orgId)).id })
    await pollOnce()
    await Promise.all(others.map(({ token }) => second.find(token)))
    expect(second.asked()).toBe(before + 3)
  })
})
