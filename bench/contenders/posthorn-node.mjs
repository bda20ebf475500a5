/** Posthorn as it ships: `posthorn serve` from what was built, as a process, and its REST API. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { makeBody } from '../body.mjs'
import { CONNECTIONS } from './receiver-client.mjs'

const COMMAND = fileURLToPath(new URL('../../packages/server/bin/posthorn.mjs', import.meta.url))
const LEASH = new URL('leash.mjs', import.meta.url).href
const START_MS = 120_000
const JSON_TYPE = { 'content-type': 'application/json' }

/** Starts a node with these settings (as the environment has them) and waits until it is ready. */
export async function startPosthorn({ node = process.execPath, flags = [], settings }) {
  const child = spawn(node, [...flags, '--import', LEASH, COMMAND, 'serve'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      POSTHORN_PORT: '0',
      POSTHORN_LOG_LEVEL: 'info',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let said = ''
  const keep = text => {
    said = (said + text).slice(-20_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const deadline = performance.now() + START_MS
  for (;;) {
    const url = /listens on (http:\/\/\S+)/.exec(said)?.[1]
    if (url && (await isReady(url))) return new PosthornNode(child, url, () => said)
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`posthorn did not start: ${said}`)
    }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function isReady(url) {
  const answer = await request(`${url}/health/ready`)
  await answer.body.dump()
  return answer.statusCode === 200
}

class PosthornNode {
  #child
  #agent = new Agent({ pipelining: 1 })
  #said

  constructor(child, url, said) {
    this.#child = child
    this.#said = said
    this.url = url
  }

  get pid() {
    return this.#child.pid
  }

  /** The end of its log. */
  get log() {
    return this.#said()
  }

  /** What it answers, as an object. @throws Error unless it is 2xx */
  async call(method, path, body) {
    const { text } = await this.#request(method, path, body)
    return JSON.parse(text())
  }

  /** As `call`, of whose answer nothing is wanted but that it is 2xx. */
  async do(method, path, body) {
    await this.#request(method, path, body)
  }

  /** How many messages there are with this status. */
  async count(status) {
    const { headers } = await this.#request('GET', `/messages/?limit=1&totalCount=true&where.status.eq=${status}`)
    return Number(headers['x-total-count'])
  }

  /** One of the numbers that it keeps for Prometheus. */
  async metric(name) {
    const { text } = await this.#request('GET', '/metrics')
    return Number(new RegExp(`^posthorn_${name} (.*)$`, 'm').exec(text())?.[1])
  }

  async stop() {
    await this.#agent.destroy()
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await gone
  }

  #request(method, path, body) {
    const payload = body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_TYPE }
    return new Promise((resolve, reject) => {
      const call = new Call(`${method} ${path}`, resolve, reject)
      this.#agent.dispatch({ origin: this.url, method, path, ...payload }, call)
    })
  }
}

/** One request by undici's `dispatch`: callers share the two cores with whom they call, so they cost as little as can be. */
class Call {
  #name
  #resolve
  #reject
  #status
  #headers
  #chunks = []

  constructor(name, resolve, reject) {
    this.#name = name
    this.#resolve = resolve
    this.#reject = reject
  }

  onRequestStart() {}

  onResponseStart(_controller, status, headers) {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller, chunk) {
    this.#chunks.push(chunk)
  }

  onResponseEnd() {
    const text = () => Buffer.concat(this.#chunks).toString()
    if (this.#status < 300) this.#resolve({ headers: this.#headers, text })
    else this.#reject(new Error(`${this.#name}: ${this.#status} ${text().slice(0, 500)}`))
  }

  onResponseError(_controller, error) {
    this.#reject(error)
  }
}

/** Queues as the bench uses them: signed, as many attempts at once as the peers may make, the defaults of everything else. */
export function newQueue(name, callbackUrl, more = {}) {
  return { name, callbackUrl, method: 'POST', secrets: [SECRET], concurrency: CONNECTIONS, ...more }
}

/** Messages with these numbers for one bulk, each for the queue that `queueOf` gives for its number. */
export function bulkOf(from, to, queueOf) {
  return Array.from({ length: to - from }, (_, i) => ({ queueId: queueOf(from + i), body: makeBody(from + i, 0) }))
}

/** What a bulk was answered. @throws Error unless all of it is stored */
export function expectStored({ results }) {
  if (results.some(({ result }) => result !== 'stored')) throw new Error(JSON.stringify(results.slice(0, 3)))
}

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
