/**
 * Several schedulers on one PostgreSQL, while their leadership changes at random, with none, one or two of them leading
 * for a while, transactions that die before their commit and others that stand still in the middle.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { migrate } from '../src/db/migrate.ts'
import { openDatabase } from '../src/db/open.ts'
import type { Database } from '../src/db/port.ts'
import { put } from '../src/engine/postgres/put.ts'
import { silentLog } from '../src/log.ts'
import { createCronChain, type PutWithin } from '../src/queue/cron-chain.ts'
import { Scheduler } from '../src/run/scheduler.ts'
import { describePostgres, type Opened, openFresh } from './databases.ts'
import { addOrg, makeSpan, openRoom } from './queue-room.ts'

const LASTS_MS = 9000
const CRONS = 20

describePostgres('three schedulers and a leadership that changes at random', () => {
  let opened: Opened
  let orgs = 0
  const databases: Database[] = []
  beforeAll(async () => {
    opened = await openFresh('postgres')
    await migrate(opened.db, silentLog)
    await makeSpan(opened.db)
    for (let n = 0; n < 3; n++) databases.push(await openDatabase(opened.options, silentLog))
  })
  afterAll(async () => {
    await Promise.all(databases.map(db => db.stop()))
    await opened?.remove()
  })

  const make = async () => {
    const room = openRoom(opened.db)
    const caller = { orgId: await addOrg(opened.db, `org${orgs++}`) }
    const { id: queueId } = await room.queues.create(caller, { name: 'q', callbackUrl: 'http://127.0.0.1/' })
    const schedules = ['* * * * * *', '*/2 * * * * *', '@hourly', '*/3 * * * * *']
    const crons = await Promise.all(
      Array.from({ length: CRONS }, (_, n) =>
        room.crons.create(caller, { queueId, schedule: schedules[n % schedules.length]!, body: 'as made' }),
      ),
    )
    return { room, caller, crons }
  }
  const ticksOf = async (cronId: number): Promise<number[]> => {
    const text = 'SELECT scheduled_at AS at FROM posthorn.message WHERE cron_id = $1::int ORDER BY scheduled_at, id'
    return (await opened.db.query<{ at: Date }>({ name: '', text }, [cronId])).map(({ at }) => at.getTime())
  }

  test('make one message of every tick of twenty crons', async () => {
    const { crons } = await make()
    const { stop, faults } = race(databases)
    await sleep(LASTS_MS)
    await stop()
    expect(faults.died).toBeGreaterThan(0)
    expect(faults.stood).toBeGreaterThan(0)
    for (const [n, cron] of crons.entries()) {
      const ticks = await ticksOf(cron.id)
      const first = Date.parse(cron.nextAt!)
      if (cron.schedule === '@hourly') continue
      const stepMs = [1000, 2000, 0, 3000][n % 4]!
      expect(ticks.length).toBeGreaterThan((LASTS_MS - 2000) / stepMs)
      expect(ticks, cron.schedule).toEqual(ticks.map((_, i) => first + i * stepMs))
    }
  })

  test('nor do changes made meanwhile bring a tick twice or a chain to its end', async () => {
    const { room, caller, crons } = await make()
    const { stop } = race(databases)
    const end = Date.now() + LASTS_MS
    const second = crons.filter(({ schedule }) => schedule === '* * * * * *')
    const change = async (id: number, nth: number): Promise<void> => {
      for (let round = 0; Date.now() < end; round++) {
        if (nth === 0) await room.crons.update(caller, { id, body: `round ${round}` })
        else if (nth === 1) await room.crons.pause(caller, { id }).then(() => room.crons.resume(caller, { id }))
        else await room.crons.update(caller, { id, schedule: round % 2 ? '*/2 * * * * *' : '* * * * * *' })
        await sleep(37 * (nth + 1))
      }
    }
    await Promise.all(second.map(({ id }, nth) => change(id, nth)))
    await stop()
    for (const [nth, { id, nextAt }] of second.entries()) {
      const ticks = await ticksOf(id)
      expect(ticks.filter((tick, i) => tick === ticks[i - 1])).toEqual([])
      expect(ticks.at(-1)).toBe(Date.parse((await room.crons.get(caller, { id })).nextAt!))
      if (nth === 0) expect(ticks).toEqual(ticks.map((_, i) => Date.parse(nextAt!) + i * 1000))
    }
  })
})

/** Runs a scheduler on each database and lets leadership change. `stop` leaves one that catches up, and ends all. */
function race(databases: readonly Database[]) {
  const faults = { died: 0, stood: 0 }
  let puts = 0
  const troubled: PutWithin = async (tx, messages) => {
    const results = await put(tx, messages)
    puts += 1
    // The first two meet one of each, so that also a slow machine sees both.
    if (puts === 1 || (puts !== 2 && Math.random() < 0.1)) {
      faults.died += 1
      throw new Error('the process was killed before its commit')
    }
    if (puts === 2 || Math.random() < 0.1) {
      faults.stood += 1
      await sleep(300 + Math.random() * 900)
    }
    return results
  }
  const leads = databases.map(() => false)
  const nodes = databases.map((db, n) => {
    const chain = createCronChain({ db, putWithin: troubled, log: silentLog, ticked() {} })
    const options = { chain, leads: () => leads[n]!, stored: () => {}, clock: systemClock, log: silentLog }
    const node = new Scheduler(options)
    node.start()
    return node
  })
  const changing = setInterval(() => {
    for (const n of leads.keys()) leads[n] = Math.random() < 0.4
  }, 150)
  return {
    faults,
    async stop(): Promise<void> {
      clearInterval(changing)
      await Promise.all(nodes.map(node => node.stop()))
      await createCronChain({ db: databases[0]!, putWithin: put, log: silentLog, ticked() {} }).advance()
    },
  }
}
