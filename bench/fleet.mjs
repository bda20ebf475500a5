/** Posthorn's own scenarios: one or more nodes on a fresh database, with many queues. */

import { nowUs } from './body.mjs'
import { inPieces } from './contenders/load.mjs'
import { bulkOf, expectStored, newQueue, startPosthorn } from './contenders/posthorn-node.mjs'

const BULK = 1000
const PATIENCE_MS = 600_000

/** Runs `work` with a fleet that is ended afterwards, whatever happens. */
export async function withFleet(place, work) {
  const database = await place.createDatabase()
  const fleet = new Fleet(place, database)
  try {
    return await work(fleet)
  } finally {
    await fleet.stop()
    await database.drop()
  }
}

class Fleet {
  #place
  #made = 0
  nodes = []

  constructor(place, database) {
    this.#place = place
    this.database = database
  }

  get pids() {
    return this.nodes.map(({ pid }) => pid)
  }

  async add(settings = {}) {
    const { node, folder, flags } = this.#place
    const store = {
      POSTHORN_DATABASE_URL: this.database.url,
      POSTHORN_SECRET_KEY: SECRET_KEY,
      POSTHORN_DATA_DIR: folder,
    }
    const started = await startPosthorn({ node, flags, settings: { ...store, ...settings } })
    this.nodes.push(started)
    return started
  }

  async remove(node) {
    this.nodes = this.nodes.filter(other => other !== node)
    await node.stop()
  }

  /** Makes queues, paused, and gives their ids. */
  async addQueues(count, urlOf, more = {}) {
    const ids = []
    await inPieces({ count, size: 1, width: 8 }, async i => {
      const queue = newQueue(`queue ${this.#made++}`, urlOf(i), more)
      ids[i] = (await this.nodes[0].call('POST', '/queues/', queue)).id
    })
    await this.each(ids, 'pause')
    return ids
  }

  /** Does this with every one of these queues. */
  each(ids, act) {
    return inPieces({ count: ids.length, size: 1, width: 16 }, i =>
      this.nodes[0].call('POST', `/queues/${ids[i]}/${act}`, {}),
    )
  }

  /** Puts so many messages on these queues in turn. */
  async fill(ids, messages) {
    await inPieces({ count: messages, size: BULK, width: 2 }, async (from, to) => {
      const bulk = { messages: bulkOf(from, to, id => ids[id % ids.length]) }
      expectStored(await this.nodes[0].call('POST', '/messages/bulk', bulk))
    })
  }

  /** Fills these queues while they are paused, resumes them, and says how it went. */
  async drain(ids, messages) {
    const { pids } = this
    const { used, ...figures } = await this.#drain(ids, messages, work => this.#place.measure(pids, work))
    const per10000 = 10_000 / messages
    return {
      ...figures,
      cpuNode: used.cpuNode * per10000,
      cpuStore: used.cpuStore * per10000,
      rss: used.rss / pids.length,
    }
  }

  /** The same while `meanwhile` runs, which may start and stop nodes: their use of the machine is not measured. */
  async drainWhile(ids, messages, meanwhile) {
    const { used: _, ...figures } = await this.#drain(ids, messages, work => Promise.all([work(), meanwhile()]))
    return figures
  }

  async #drain(ids, messages, around) {
    const { sink, admin } = this.#place
    await sink.reset(messages)
    await this.each(ids, 'pause')
    await this.fill(ids, messages)
    await admin.query('CHECKPOINT')
    const start = nowUs()
    const used = await around(async () => {
      await this.each(ids, 'resume')
      await sink.all(PATIENCE_MS)
    })
    // What would come twice comes now.
    await new Promise(resolve => setTimeout(resolve, 1000))
    const { distinct, duplicates, lastUs } = await sink.report()
    return { used, rate: (messages / (lastUs - start)) * 1e6, lost: messages - distinct, duplicates }
  }

  async stop() {
    await Promise.all(this.nodes.map(node => node.stop()))
  }
}

const SECRET_KEY = Buffer.alloc(32, 7).toString('base64')
