import { existsSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describePostgres } from '../databases.ts'
import type { ApiError } from '../harness/api.ts'
import { demandLawful, Ledger } from '../harness/ledger.ts'
import { pause } from '../harness/load.ts'
import { type NodeProcess, startNode, stopAll } from '../harness/nodes.ts'
import { openPostgres, type Place } from '../harness/places.ts'
import { Receiver } from '../harness/receiver.ts'
import { measured } from '../harness/scale.ts'

const MESSAGES = 12_000
const BATCH = 100
const BODY = 'x'.repeat(24_000)
const UNSETTLED = 1000
const IN_FLIGHT = 200
const WAITING = 1000
const CALLERS = 1500
/** 64 MB of messages that wait, beside a node at rest. All that is put here would be 290 MB more. */
const MOST_MB = 350

let place: Place
let receiver: Receiver
let database: pg.Client

beforeEach(async () => {
  place = await openPostgres()
  receiver = await Receiver.start()
  database = new pg.Client({ connectionString: place.env.POSTHORN_DATABASE_URL })
  await database.connect()
})

afterEach(async () => {
  await database.end()
  await stopAll()
  await receiver.stop()
  await place.close()
})

/** What of the process is in memory, in MB; 0 where the system does not say. */
function residentMb(node: NodeProcess): number {
  const file = `/proc/${node.pid}/status`
  if (!existsSync(file)) return 0
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0) / 1024
}

/** Holds a lock as long as `work` takes: statements that want the table wait, all others go on. */
async function whileLocked(table: string, mode: string, work: () => Promise<void>): Promise<void> {
  await database.query(`BEGIN; LOCK TABLE posthorn.${table} IN ${mode} MODE`)
  await work()
  await database.query('ROLLBACK')
}

describePostgres('a database that is slower than everybody else', () => {
  test('while nothing can be settled, little is sent and memory stays; then everything arrives once', {
    timeout: 120_000,
  }, async () => {
    const node = await startNode({
      ...place.env,
      POSTHORN_MAX_UNSETTLED: `${UNSETTLED}`,
      POSTHORN_MAX_IN_FLIGHT: `${IN_FLIGHT}`,
    })
    const ids: number[] = []
    for (let i = 0; i < 10; i++)
      ids.push((await node.api.createQueue({ callbackUrl: receiver.url, concurrency: 100 })).id)
    const ledger = new Ledger()
    const resident: number[] = []
    await whileLocked('shard', 'EXCLUSIVE', async () => {
      for (let done = 0; done < MESSAGES; done += BATCH) {
        const tokens = Array.from({ length: BATCH }, () => ledger.open())
        await node.api.putMany(tokens.map((token, i) => ({ queueId: ids[i % 10]!, body: `${token} ${BODY}` })))
        for (const token of tokens) ledger.acknowledge(token)
        resident.push(residentMb(node))
      }
      await receiver.waitForArrivals(UNSETTLED)
      await pause(2000)
      expect(receiver.arrivals.length).toBeLessThanOrEqual(UNSETTLED + IN_FLIGHT)
    })
    const came = () =>
      receiver.arrivals.map(arrival => ({ ...arrival, body: Buffer.from(`${arrival.body}`.split(' ')[0]!) }))
    await receiver.waitFor(({ arrivals }) => arrivals.length >= MESSAGES, 'all messages', 60_000)
    await expect.poll(() => node.api.count('where.status.eq=pending'), { timeout: 30_000 }).toBe(0)
    demandLawful(ledger.judge(came()))
    expect(receiver.arrivals).toHaveLength(MESSAGES)
    // Requests leave garbage behind, which is collected now and then: what is really held shows right after that.
    const held = Math.min(...resident.slice(resident.length / 3))
    expect(held, 'resident megabytes').toBeLessThan(MOST_MB)
    measured('a settle that waits for a lock', { messages: MESSAGES, 'in memory (MB)': Math.round(held) })
  })

  test('while nothing can be stored, callers beyond the bound are told so at once, and what is acknowledged is stored', {
    timeout: 60_000,
  }, async () => {
    const node = await startNode({ ...place.env, POSTHORN_MAX_WAITING_PUTS: `${WAITING}` })
    const { id } = await node.api.createQueue({ callbackUrl: receiver.url })
    await node.api.put(id, 'first')
    let acknowledged = 1
    const refused: string[] = []
    const puts: Promise<void>[] = []
    await whileLocked('message', 'SHARE ROW EXCLUSIVE', async () => {
      for (let i = 0; i < CALLERS; i++) {
        const put = node.api.put(id, `${i}`).then(
          () => void acknowledged++,
          (error: ApiError) => void refused.push(`${error.status} ${error.problem.code}`),
        )
        puts.push(put)
      }
      await expect.poll(() => refused.length, { timeout: 10_000 }).toBe(CALLERS - WAITING)
      expect(new Set(refused)).toEqual(new Set(['503 overloaded']))
      expect((await fetch(`${node.url}/health/live`)).status).toBe(200)
    })
    await Promise.all(puts)
    expect(acknowledged).toBe(WAITING + 1)
    expect(await node.api.count(`where.queueId.eq=${id}`)).toBe(acknowledged)
    await receiver.waitForArrivals(acknowledged)
  })
})
