/**
 * Listening on a channel over a connection of its own.
 *
 * A lost connection is opened anew for as long as it takes. What was notified meanwhile is lost, so `missed` is called
 * after every connection, the first included. A connection that is cut without a word is found by a heartbeat.
 *
 *   connecting ──LISTEN answered──▶ listening ──lost──▶ connecting (after a delay)        any ──stop()──▶ stopped
 */
import { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../log.ts'
import type { Listening } from './port.ts'
import { quoteIdentifier } from './schema.ts'
import { reconnectDelay } from './wait-for-server.ts'

const HEARTBEAT_MS = 5_000

export interface ListenerOptions {
  readonly config: pg.ClientConfig
  readonly channel: string
  readonly heard: (payload: string) => void
  readonly missed: () => void
  /** Ends the listening, and the wait for its beginning. */
  readonly signal: AbortSignal
  readonly log: Log
}

/** Resolves when the channel is listened to for the first time; it waits for the server as long as it takes. */
export async function openListener(options: ListenerOptions): Promise<Listening> {
  const stopping = new AbortController()
  const signal = AbortSignal.any([stopping.signal, options.signal])
  let begin: () => void = () => {}
  const begun = new Promise<void>(resolve => {
    begin = resolve
  })
  const over = keepListening(options, signal, begin)
  await Promise.race([begun, over])
  return {
    stop: async () => {
      stopping.abort()
      await over
    },
  }
}

async function keepListening(options: ListenerOptions, signal: AbortSignal, listening: () => void): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const reason = await listenUntilLost(options, signal, () => {
      attempt = 0
      listening()
      options.missed()
    })
    if (signal.aborted) return
    const delayMs = reconnectDelay(attempt)
    options.log.warn(
      { channel: options.channel, error: reason, retryInMs: delayMs },
      'the listening connection was lost',
    )
    await delay(delayMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return
  }
}

/** Gives the reason why it could not connect or no longer listens. */
async function listenUntilLost(
  { config, channel, heard }: ListenerOptions,
  signal: AbortSignal,
  listening: () => void,
): Promise<string> {
  const socket = new Socket()
  const client = new pg.Client({ ...config, application_name: 'posthorn listener', stream: () => socket })
  const lost = new Promise<string>(resolve => {
    client.on('error', error => resolve(error.message))
    client.on('end', () => resolve('the connection was closed'))
  })
  client.on('notification', ({ payload }) => heard(payload ?? ''))
  const cut = (): void => void socket.destroy()
  signal.addEventListener('abort', cut)
  let heartbeat: NodeJS.Timeout | undefined
  try {
    await client.connect()
    await client.query(`LISTEN ${quoteIdentifier(channel)}`)
    heartbeat = watch(client, cut)
    listening()
    return await lost
  } catch (error) {
    return (error as Error).message
  } finally {
    clearInterval(heartbeat)
    signal.removeEventListener('abort', cut)
    cut()
  }
}

function watch(client: pg.Client, cut: () => void): NodeJS.Timeout {
  let answered = true
  return setInterval(() => {
    if (!answered) return cut()
    answered = false
    client.query('SELECT').then(
      () => {
        answered = true
      },
      () => {}, // lost: `lost` has the reason
    )
  }, HEARTBEAT_MS)
}
