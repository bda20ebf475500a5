/** The sink, a process of its own that all contenders send to: started, asked, and measured before anything else. */
import { spawn, spawnSync } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeBody } from '../body.mjs'

const beside = name => fileURLToPath(new URL(name, import.meta.url))

/** Compiles the one in C into `folder` if there is a compiler; else the one in JavaScript runs. */
export async function openSink(folder) {
  const compiled = join(folder, 'sink')
  const made = ['cc', 'gcc', 'clang'].some(
    compiler => spawnSync(compiler, ['-O2', '-o', compiled, beside('sink.c')]).status === 0,
  )
  const [program, args] = made ? [compiled, []] : [process.execPath, [beside('sink.mjs')]]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const sink = new Sink(child, made ? 'C' : 'JavaScript, for want of a C compiler')
  await sink.heard('listening')
  return sink
}

class Sink {
  #child
  #waiting = []
  #text = ''
  /** The last that was said for each kind of event since the last reset. */
  #last = new Map()
  #gone = null

  constructor(child, kind) {
    this.#child = child
    this.kind = kind
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', text => this.#hear(text))
    child.once('exit', (code, signal) => {
      this.#gone = new Error(`the sink ended with ${code ?? signal}`)
      for (const { reject } of this.#waiting.splice(0)) reject(this.#gone)
    })
  }

  get pid() {
    return this.#child.pid
  }

  get url() {
    return `http://127.0.0.1:${this.#last.get('listening').port}`
  }

  /** One of many origins that are all the same sink. */
  urlOf(n) {
    return this.url.replace('127.0.0.1', `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`)
  }

  async reset(messages) {
    this.#last.delete('all')
    this.#last.delete('reset')
    this.#say(`reset ${messages}`)
    await this.heard('reset')
  }

  report() {
    this.#last.delete('report')
    this.#say('report')
    return this.heard('report')
  }

  /** Resolves when every message has come. @throws Error after `timeoutMs`, with how many came */
  async all(timeoutMs) {
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Late()), timeoutMs)
    })
    try {
      return await Promise.race([this.heard('all'), late])
    } catch (error) {
      if (!(error instanceof Late)) throw error
      throw new Error(`not everything arrived in ${timeoutMs / 1000} s: ${JSON.stringify(await this.report())}`)
    } finally {
      clearTimeout(timer)
    }
  }

  heard(event) {
    if (this.#last.has(event)) return Promise.resolve(this.#last.get(event))
    if (this.#gone) return Promise.reject(this.#gone)
    return new Promise((resolve, reject) => this.#waiting.push({ event, resolve, reject }))
  }

  stop() {
    this.#child.stdin.end()
  }

  #say(command) {
    this.#child.stdin.write(`${command}\n`)
  }

  #hear(text) {
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop()
    for (const line of lines) {
      const said = JSON.parse(line)
      this.#last.set(said.event, said)
      for (const one of this.#waiting.filter(({ event }) => event === said.event)) one.resolve(said)
      this.#waiting = this.#waiting.filter(({ event }) => event !== said.event)
    }
  }
}

class Late extends Error {}

/** What the sink can take: requests per second, written as fast as it reads them over a few connections. */
export async function measureSink(sink, count = 200_000) {
  const CONNECTIONS = 4
  await sink.reset(count)
  const { port } = new URL(sink.url)
  const requestOf = id => {
    const body = makeBody(id, 0)
    return `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }
  const requests = Array.from({ length: CONNECTIONS }, (_, lane) => {
    const chunks = []
    for (let id = lane; id < count; id += CONNECTIONS * 100) {
      let chunk = ''
      for (let next = id; next < Math.min(count, id + CONNECTIONS * 100); next += CONNECTIONS) chunk += requestOf(next)
      chunks.push(Buffer.from(chunk))
    }
    return chunks
  })
  const sockets = requests.map(() => connect(Number(port), '127.0.0.1').resume())
  const write = (socket, chunks) => {
    while (chunks.length > 0) if (!socket.write(chunks.shift())) break
    if (chunks.length > 0) socket.once('drain', () => write(socket, chunks))
  }
  for (const [lane, socket] of sockets.entries()) write(socket, requests[lane])
  const { firstUs, lastUs } = await sink.all(60_000)
  for (const socket of sockets) socket.destroy()
  return (count / (lastUs - firstUs)) * 1e6
}
