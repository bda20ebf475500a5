/**
 * A contender at work, in a process of its own, so that its CPU time and memory are its own and a second contender
 * starts as cold as the first. What a session can do, its module in contenders/ says:
 *
 *   prepare(messages)        stores a backlog, numbered from 0, while nothing is delivered
 *   drain()                  begins to deliver
 *   settled()                resolves when its own records say that nothing is left
 *   rest()                   stops delivering, so that the next backlog can be prepared
 *   put({ way, callers, ms })        puts one by one while nothing is delivered; gives { count, seconds, all }
 *   putBulk({ messages })            puts many in the fastest way it has, while nothing is delivered; gives { seconds }
 *   flow({ callers | rate, ms })     puts while it delivers, in a closed loop or on a schedule (load.mjs)
 *   prepareFan({ targets })          makes what a fan-out needs, where that is more than a call
 *   fanOut({ events, targets })      puts each event for every target while it delivers
 *   stored()                         how many messages its records say are not delivered yet
 *   pids()                   its processes, where they are not the one that was asked
 *   stop()
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const HOST = fileURLToPath(new URL('contenders/host.mjs', import.meta.url))
/** No call takes this long; one that does is a contender that hangs. */
const CALL_MS = 900_000
const STOP_MS = 20_000

export class Session {
  #child
  #waiting = new Map()
  #calls = 0
  #ended = null
  #methods = new Set()
  /** The processes whose CPU and memory are the contender's. */
  pids = []

  /** Starts `module` with this Node and these flags. `place` is what it stands in: URLs of the store and of the sink. */
  static async start({ node, flags = [], module, place, name }) {
    const session = new Session(
      spawn(node, [...flags, HOST, module], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env: environment() }),
      name,
    )
    try {
      const { methods, pids } = await session.call('start', place)
      session.#methods = new Set(methods)
      session.pids = pids
    } catch (error) {
      await session.stop()
      throw error
    }
    return session
  }

  constructor(child, name) {
    this.#child = child
    this.name = name
    let said = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', text => {
      said = (said + text).slice(-4000)
    })
    child.on('message', ({ id, value, error }) => {
      const call = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error) call?.reject(new Error(`${name}: ${error}`))
      else call?.resolve(value)
    })
    child.once('exit', (code, signal) => {
      this.#ended = new Error(`${name} ended with ${code ?? signal}: ${said}`)
      for (const { reject } of this.#waiting.values()) reject(this.#ended)
    })
  }

  can(method) {
    return this.#methods.has(method)
  }

  async call(method, ...args) {
    if (this.#ended) throw this.#ended
    this.#calls += 1
    const id = this.#calls
    let timer
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject })
        timer = setTimeout(() => reject(new Error(`${this.name}: ${method} took over ${CALL_MS / 1000} s`)), CALL_MS)
        this.#child.send({ id, method, args })
      })
    } finally {
      clearTimeout(timer)
    }
  }

  async stop() {
    if (this.#ended) return
    const gone = once(this.#child, 'exit')
    const giveUp = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    if (this.#methods.has('stop')) await this.call('stop').catch(() => {})
    if (this.#child.connected) this.#child.disconnect()
    await gone
    clearTimeout(giveUp)
  }
}

/** Settings of the user's own installation must not leak into a measurement. */
function environment() {
  const own = /^(POSTHORN|PLT|DATABASE|PG|NODE_|GRAPHILE|npm_)/
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name))),
    NODE_ENV: 'production',
  }
}
