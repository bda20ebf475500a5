/** Where a run takes place: one PostgreSQL, one Redis, one sink, and a fresh database for each contender that starts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { HEAP_FLAGS } from '../packages/server/dist/cli/heap.js'
import { CONTENDERS } from './contenders.mjs'
import { startServer } from './postgres.mjs'
import { cpuSeconds, peakMegabytes, resetPeak } from './processes.mjs'
import { startRedis } from './redis.mjs'
import { Session } from './session.mjs'
import { openSink } from './sink/open.mjs'

export async function openPlace({ node, profile }) {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-bench-'))
  // PostgreSQL may run as another user than ours, and has to get through.
  chmodSync(folder, 0o711)
  const closing = [() => rmSync(folder, { recursive: true, force: true })]
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const sink = await openSink(folder)
    closing.push(() => sink.stop())
    const postgres = await startServer(join(folder, 'postgres'))
    closing.push(() => postgres.stop())
    const admin = new pg.Client(postgres.connection)
    await admin.connect()
    closing.push(() => admin.end())
    const redis = await startRedis(join(folder, 'redis'))
    if (redis) closing.push(() => redis.stop())
    return new Place({ folder, node, profile, sink, postgres, redis, admin, close })
  } catch (error) {
    await close()
    throw error
  }
}

class Place {
  #opened = 0
  #open = new Set()

  constructor(parts) {
    Object.assign(this, parts)
  }

  /** For Posthorn's own processes. */
  get flags() {
    return this.profile ? ['--cpu-prof', `--cpu-prof-dir=${this.profile}`] : []
  }

  /** Why this contender cannot take part here; null if it can. */
  obstacle(name) {
    const { store } = CONTENDERS.find(one => one.name === name)
    return store === 'redis' && !this.redis ? 'there is no redis-server (Debian: apt-get install redis-server)' : null
  }

  /** Starts a contender in a fresh process on a fresh store. `more` is for the module alone. */
  async open(name, more = {}) {
    const { module, store } = CONTENDERS.find(one => one.name === name)
    this.#opened += 1
    const folder = join(this.folder, `${name}-${this.#opened}`)
    mkdirSync(folder)
    const place = { folder, sinkUrl: this.sink.url, flags: this.flags, ...more }
    const database = store === 'postgres' ? await this.createDatabase() : null
    if (database) place.databaseUrl = database.url
    if (store === 'redis') place.redisPath = this.redis.path
    // Whoever wrote before pays for its own dirty pages.
    await this.admin.query('CHECKPOINT')
    // As the guide to embedding says; what is started by `posthorn serve` sets them itself.
    const flags = name === 'posthorn-library' ? [...HEAP_FLAGS, ...this.flags] : []
    const session = await Session.start({ node: this.node, module, place, name, flags })
    this.#open.add(session)
    return {
      session,
      close: async () => {
        await session.stop()
        this.#open.delete(session)
        await database?.drop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  }

  async createDatabase() {
    this.#opened += 1
    const name = `bench_${this.#opened}`
    await this.admin.query(`CREATE DATABASE ${name}`)
    const drop = () => this.admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    return { url: this.postgres.urlOf(name), connection: { ...this.postgres.connection, database: name }, drop }
  }

  /** What `work` took: seconds, CPU seconds of the contender's processes and of the stores, and the contender's peak memory. */
  async measure(pids, work) {
    const stores = [this.postgres.pid, ...(this.redis ? [this.redis.pid] : [])]
    resetPeak(pids)
    const before = [cpuSeconds(pids), cpuSeconds(stores), cpuSeconds([this.sink.pid])]
    const start = performance.now()
    const value = await work()
    const seconds = (performance.now() - start) / 1000
    const [cpuNode, cpuStore, cpuSink] = [cpuSeconds(pids), cpuSeconds(stores), cpuSeconds([this.sink.pid])].map(
      (after, i) => after - before[i],
    )
    return { value, seconds, cpuNode, cpuStore, cpuSink, rss: peakMegabytes(pids) }
  }

  async stop() {
    for (const session of this.#open) await session.stop()
    await this.close()
  }
}
