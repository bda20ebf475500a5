import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan, openRoom, openTenantRoom, settle } from '../../test/queue-room.ts'
import type { Database } from '../db/port.ts'
import { queueBelongings } from '../queue/org-belongings.ts'
import { openInstallation } from './installation.ts'
import { removeDeletedOrgs } from './org-removal.ts'

eachDatabase('orgs', open => {
  let instanceOrgId: number
  const operator = { orgId: 0 }
  const orgs = () => openTenantRoom(open(), instanceOrgId).handlers
  beforeAll(async () => {
    await makeSpan(open())
    instanceOrgId = (await openInstallation(open(), { shardCount: 4, instanceOrg: 'house' })).instanceOrgId
  })

  test('are made, found by name, and changed but for their name', async () => {
    const made = await orgs()['orgs.create'](operator, { name: 'green-peas_1', config: { a: [1, '\\u0000'] } })
    expect(made).toMatchObject({
      name: 'green-peas_1',
      title: 'green-peas_1',
      config: { a: [1, '\\u0000'] },
      emailFrom: null,
      isInstance: false,
    })
    const where = [{ field: 'name' as const, op: 'eq' as const, value: 'green-peas_1' }]
    expect((await orgs()['orgs.list'](operator, asked({ where }) as never)).items).toEqual([made])
    const changed = await orgs()['orgs.update'](operator, { id: made.id, title: 'Peas', emailFrom: 'a@peas.example' })
    expect(changed).toMatchObject({ title: 'Peas', emailFrom: 'a@peas.example', config: made.config })
    expect(await orgs()['orgs.update'](operator, { id: made.id, emailFrom: null })).toMatchObject({ emailFrom: null })
    expect(await orgs()['orgs.get'](operator, { id: instanceOrgId })).toMatchObject({ isInstance: true })
  })

  test('have a weight, of whose change every node hears, and of no other', async () => {
    const { id } = await orgs()['orgs.create'](operator, { name: 'heavy', weight: 30 })
    const noted = async () => {
      const text = "SELECT kind FROM posthorn.change WHERE kind = 'org' AND queue_id = $1::int"
      return (await open().query({ name: '', text }, [id])).length
    }
    await orgs()['orgs.update'](operator, { id, title: 'Heavy' })
    expect(await noted()).toBe(0)
    expect(await orgs()['orgs.update'](operator, { id, weight: 5 })).toMatchObject({ weight: 5, title: 'Heavy' })
    expect(await noted()).toBe(1)
  })

  test('have names of their own', async () => {
    await orgs()['orgs.create'](operator, { name: 'twice' })
    await expect(orgs()['orgs.create'](operator, { name: 'twice' })).rejects.toThrow('There is an org twice already')
  })

  test('have configurations that are bounded and that the database can keep', async () => {
    const config = (value: unknown) => orgs()['orgs.create'](operator, { name: 'odd', config: { value } })
    await expect(config('x'.repeat(65_536))).rejects.toThrow('body/config must not be larger than 65536 bytes')
    await expect(config('a\0')).rejects.toThrow('body/config must be text without NUL')
    const deep = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    for (const levels of [100, 30_000])
      await expect(config(deep(levels))).rejects.toThrow('body/config must not be more than 100 deep')
    expect((await orgs()['orgs.create'](operator, { name: 'deep', config: { value: deep(99) } })).config).toEqual({
      value: deep(99),
    })
    await expect(config('\ud800')).rejects.toThrow('body/config must be text without NUL and without half characters')
  })

  test('the one that runs the installation is not deleted', async () => {
    for (const act of ['orgs.delete', 'orgs.previewDelete'] as const)
      await expect(orgs()[act](operator, { id: instanceOrgId })).rejects.toThrow('runs the installation')
  })

  test('a deleted one is gone at once with its keys, and its name is free', async () => {
    const { id } = await orgs()['orgs.create'](operator, { name: 'short' })
    await orgs()['keys.create']({ orgId: id }, { name: 'k', scopes: ['*'] })
    await orgs()['orgs.delete'](operator, { id })
    await expect(orgs()['orgs.get'](operator, { id })).rejects.toThrow(`Org ${id} not found`)
    await expect(orgs()['orgs.delete'](operator, { id })).rejects.toThrow(`Org ${id} not found`)
    await expect(orgs()['orgs.update'](operator, { id, title: 'x' })).rejects.toThrow(`Org ${id} not found`)
    await expect(orgs()['keys.create']({ orgId: id }, { name: 'k', scopes: ['*'] })).rejects.toThrow('not found')
    expect(await count(open(), 'api_key', id)).toBe(0)
    expect((await orgs()['orgs.create'](operator, { name: 'short' })).id).not.toBe(id)
  })

  test('its records go in batches, whoever goes on with them, and nothing of another org does', async () => {
    const db = open()
    const [gone, stays] = [await addOrg(db, 'gone'), await addOrg(db, 'stays')]
    for (const orgId of [gone, stays]) await fill(db, orgId)
    expect(await orgs()['orgs.previewDelete'](operator, { id: gone })).toEqual({
      queues: 2,
      crons: 1,
      pending: 3,
      settled: 2,
      keys: 0,
      services: 0,
    })
    await orgs()['orgs.delete'](operator, { id: gone })
    const before = await everything(db, stays)
    // A budget of nothing: one batch at a time, each as if by another leader.
    const belongings = [queueBelongings({ changed: () => {}, graceMs: 0 })]
    let rounds = 0
    let clock = 0
    const step = () => removeDeletedOrgs(db, { belongings, now: () => (clock += 10_000), graceMs: 0 })
    while (!(await step()).includes(gone)) {
      expect(++rounds).toBeLessThan(50)
    }
    expect(rounds).toBeGreaterThan(3)
    expect(await everything(db, gone)).toEqual({ queue: 0, cron: 0, message: 0, message_done: 0, api_key: 0, org: 0 })
    expect(await everything(db, stays)).toEqual(before)
    const text = `SELECT (SELECT count(*) FROM posthorn.payload) AS payloads, (SELECT count(*) FROM posthorn.attempt) AS attempts,
      (SELECT count(*) FROM posthorn.idempotency) AS keys`
    expect(await db.query({ name: '', text })).toEqual([{ payloads: 5, attempts: 2, keys: 1 }])
  })

  test('a half deleted one keeps its queues until every node has heard', async () => {
    const db = open()
    const id = await addOrg(db, 'slow')
    await fill(db, id)
    await orgs()['orgs.delete'](operator, { id })
    const belongings = [queueBelongings({ changed: () => {} })]
    for (let i = 0; i < 10; i++) await removeDeletedOrgs(db, { belongings, now: () => 0 })
    expect(await everything(db, id)).toEqual({ queue: 2, cron: 0, message: 0, message_done: 0, api_key: 0, org: 0 })
    const text = 'SELECT deleted_at IS NOT NULL AS marked FROM posthorn.org WHERE id = $1'
    expect(await db.query({ name: '', text }, [id])).toEqual([{ marked: true }])
  })
})

/** Two queues, a cron with its next tick, two messages that wait, a delivered and a dead one with their attempts. */
async function fill(db: Database, orgId: number): Promise<void> {
  const { queues, messages, crons } = openRoom(db)
  const caller = { orgId }
  const dead = await queues.create(caller, { name: 'dead' })
  const queue = await queues.create(caller, { name: 'q', callbackUrl: 'http://h/', deadLetterQueueId: dead.id })
  await crons.create(caller, { queueId: queue.id, schedule: '@hourly' })
  const ids: number[] = []
  for (let i = 0; i < 4; i++) {
    const input = { queueId: queue.id, body: `${i}`, ...(i === 0 && { idempotencyKey: 'k' }) }
    ids.push((await messages.put(caller, input)).id)
  }
  await settle(db, ids[0]!, 'd')
  await settle(db, ids[1]!, 'x')
}

async function count(db: Database, table: string, orgId: number): Promise<number> {
  const text = `SELECT count(*) AS n FROM posthorn.${table} WHERE org_id = $1::int`
  return (await db.query<{ n: number }>({ name: '', text }, [orgId]))[0]!.n
}

async function everything(db: Database, orgId: number) {
  const found: Record<string, number> = {}
  for (const table of ['queue', 'cron', 'message', 'message_done', 'api_key']) {
    found[table] = await count(db, table, orgId)
  }
  const text = 'SELECT count(*) AS n FROM posthorn.org WHERE id = $1::int AND deleted_at IS NULL'
  return { ...found, org: (await db.query<{ n: number }>({ name: '', text }, [orgId]))[0]!.n }
}
