/**
 * The wire between `pg` and the embedded PostgreSQL: a stream that looks like a socket and leads to a worker thread.
 *
 * One stream is one worker is one session. The stream ends when the worker has, for whatever reason, and destroying it
 * ends the worker.
 */
import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'

interface WorkerTask {
  readonly folder: string
  readonly task: 'build' | 'serve'
}

/** What the worker says besides PostgreSQL's protocol. */
type WorkerWord = 'ready' | { readonly died: string } | Uint8Array

/** A plain .mjs file that lies beside this one in `src` and in `dist`: see its header. */
export function startWorker(task: WorkerTask): Worker {
  return new Worker(new URL('./embedded-worker.mjs', import.meta.url), { workerData: task, execArgv: [] })
}

export interface WorkerStream {
  readonly stream: Duplex
  /** Resolves once the worker is gone, with the reason if it died; only then may another one open the folder. */
  readonly ended: Promise<string | undefined>
}

/** @param after when the worker before this one is gone */
export function openWorkerStream(folder: string, after: Promise<void>): WorkerStream {
  let worker: Worker | undefined
  let reason: string | undefined
  let end: (reason: string | undefined) => void = () => {}
  const ended = new Promise<string | undefined>(resolve => {
    end = resolve
  })
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      worker?.postMessage(...transfer([chunk]))
      done()
    },
    // A statement is several messages of the protocol, written in one go: they must arrive in one go.
    writev(chunks: { chunk: Buffer }[], done) {
      worker?.postMessage(...transfer(chunks.map(({ chunk }) => chunk)))
      done()
    },
    destroy(error, done) {
      if (!worker) end(undefined)
      else worker.terminate()
      ended.then(() => done(error))
    },
  })
  const start = (): void => {
    if (stream.destroyed) return
    worker = startWorker({ folder, task: 'serve' })
    worker.on('message', (word: WorkerWord) => {
      if (word === 'ready') stream.emit('connect')
      else if (word instanceof Uint8Array) stream.push(Buffer.from(word.buffer, word.byteOffset, word.byteLength))
      else reason = word.died
    })
    worker.on('error', error => {
      reason = error.message
    })
    worker.on('exit', code => {
      if (code !== 0 && !stream.destroyed) reason ??= `its thread ended with ${code}`
      end(reason)
      stream.destroy(reason === undefined ? undefined : new Error(reason))
    })
  }
  return {
    stream: asSocket(
      stream,
      () => after.then(start),
      () => worker,
    ),
    ended,
  }
}

/** Copies into a buffer of its own: of a slice, the whole buffer behind it would be handed over. */
function transfer(parts: readonly Buffer[]): [Uint8Array, ArrayBuffer[]] {
  const message = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0))
  let at = 0
  for (const part of parts) {
    message.set(part, at)
    at += part.length
  }
  return [message, [message.buffer]]
}

/** The calls of a socket that `pg` makes. */
function asSocket(stream: Duplex, connect: () => void, worker: () => Worker | undefined): Duplex {
  return Object.assign(stream, {
    connect,
    setNoDelay() {},
    setKeepAlive() {},
    ref: () => worker()?.ref(),
    unref: () => worker()?.unref(),
  })
}
