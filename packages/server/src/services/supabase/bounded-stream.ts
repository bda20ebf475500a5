import { PassThrough, type Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { Clock } from '../../clock.ts'
import { FaultError, faultOf } from '../faults.ts'

export interface StreamBounds {
  readonly path: string
  readonly maxBytes: number
  /** How long it may stand still, while somebody wants to read. */
  readonly idleMs: number
  readonly clock: Clock
}

/** Passes a body on as it is read, and ends it with a fault where it breaks off, stands still or grows too large. */
export function boundStream(body: ReadableStream<Uint8Array>, bounds: StreamBounds): Readable {
  const stream = new PassThrough()
  // It may fail before anybody reads it: who then does is told, and nobody else, least of all the process.
  stream.on('error', () => {})
  void pump(body, stream, bounds).catch((error: unknown) => stream.destroy(error as Error))
  return stream
}

async function pump(
  body: ReadableStream<Uint8Array>,
  stream: PassThrough,
  { path, maxBytes, idleMs, clock }: StreamBounds,
): Promise<void> {
  const reader = body.getReader()
  let bytes = 0
  try {
    for (;;) {
      const stalled = faultOf('timeout', `${path}: nothing more came within ${idleMs} ms`)
      const part = await inTime(readOf(reader, path), () => new FaultError(stalled), idleMs, clock)
      if (part === undefined) return void stream.end()
      bytes += part.byteLength
      if (bytes > maxBytes) throw new FaultError(tooLarge(path, maxBytes))
      if (!stream.write(part)) await drained(stream)
      if (stream.destroyed) return
    }
  } finally {
    void reader.cancel().catch(() => {})
  }
}

export function tooLarge(path: string, maxBytes: number) {
  return faultOf('too_large', `${path} has more than ${maxBytes} bytes`)
}

async function readOf(reader: ReadableStreamDefaultReader<Uint8Array>, path: string): Promise<Uint8Array | undefined> {
  try {
    return (await reader.read()).value
  } catch {
    throw new FaultError(faultOf('reset', `${path} broke off before its end`))
  }
}

function inTime<T>(work: Promise<T>, late: () => Error, ms: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(() => reject(late()), ms)
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}
