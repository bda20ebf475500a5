/** A node that cannot have its port says so before it has taken anything over, and leaves nothing running. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startNode } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { silentLog } from '../src/log.ts'
import { copyEmbedded, describePostgres, freshDatabase, type OwnDatabase } from './databases.ts'
import { secretKey } from './leaks/marked.ts'
import { keepLog } from './tell-room.ts'

const KEY = secretKey()
const SENTENCE = /^port \d+ is taken on 127\.0\.0\.1: set another \(POSTHORN_PORT, --port\), or end what listens there$/
let folder: string
let holder: Server
let port: number
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'posthorn-taken-port-'))
  holder = createServer((_, response) => response.end('mine'))
  await new Promise<void>(resolve => holder.listen(0, '127.0.0.1', resolve))
  port = (holder.address() as AddressInfo).port
})
afterAll(async () => {
  await new Promise(resolve => holder.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

const start = (more: Record<string, string>, log = silentLog) => {
  const env = { POSTHORN_DATA_DIR: folder, POSTHORN_PORT: `${port}`, POSTHORN_SECRET_KEY: KEY, ...more }
  return startNode(loadConfig({ env, flags: {}, readFile: () => '{}' }), log)
}

test('and gives its folder back', async () => {
  await copyEmbedded(folder)
  await expect(start({})).rejects.toThrow(SENTENCE)
  const node = await start({ POSTHORN_PORT: '0' })
  expect((await fetch(`${node.url}/health/live`)).status).toBe(200)
  await node.stop()
})

describePostgres('beside nodes on one PostgreSQL', () => {
  let own: OwnDatabase
  let onlooker: pg.Client
  beforeAll(async () => {
    own = await freshDatabase()
    onlooker = new pg.Client({ connectionString: own.url })
    await onlooker.connect()
  })
  afterAll(async () => {
    await onlooker.end()
    await own.drop()
  })
  const ask = async (text: string) => (await onlooker.query(text)).rows

  test('and has served no shard, led nobody and moved no cron on', async () => {
    const settings = { POSTHORN_DATABASE_URL: own.url }
    const before = await start({ ...settings, POSTHORN_PORT: '0' })
    const { id: queueId } = await before.client.queues.create({ name: 'ticks' })
    await before.client.crons.create({ queueId, schedule: '@daily' })
    await before.stop()
    await ask(`UPDATE posthorn.cron SET next_at = next_at - interval '3 days'`)
    const state = () => Promise.all([ask('TABLE posthorn.shard ORDER BY id'), ask('TABLE posthorn.cron')])
    const found = await state()
    const log = keepLog()
    await expect(start(settings, log)).rejects.toThrow(SENTENCE)
    expect(await state()).toEqual(found)
    expect(log.lines.map(({ words }) => words)).not.toContain('this node leads')
    const sessions = `SELECT pid FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'posthorn%'`
    await expect.poll(() => ask(sessions)).toEqual([])
  })
})
