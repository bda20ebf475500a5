/** A subscriber over WebSocket in tests: what it was sent, and a way to wait for it. */
import { createClient } from 'graphql-ws'
import WebSocket from 'ws'
import { look } from '../leaks/watch.ts'

export interface Subscriber {
  /** Every answer so far, in order. */
  readonly heard: unknown[]
  /** Resolves when the server has said so: an error of the subscription, or its end. */
  readonly ended: Promise<unknown>
  /** Waits until so many were heard. */
  until(count: number): Promise<unknown[]>
  stop(): Promise<void>
}

interface Options {
  readonly headers?: Record<string, string>
  readonly connectionParams?: Record<string, unknown>
}

/** Subscribes and gives the subscriber once the server acknowledged its connection. */
export async function subscribe(url: string, query: string, options: Options = {}): Promise<Subscriber> {
  const { headers = {}, connectionParams } = options
  class WithHeaders extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols, { headers })
    }
  }
  const heard: unknown[] = []
  let wake = (): void => {}
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WithHeaders,
    lazy: true,
    retryAttempts: 0,
    ...(connectionParams && { connectionParams }),
  })
  const connected = new Promise<void>(resolve => {
    client.on('connected', () => resolve())
  })
  const ended = new Promise<unknown>(resolve => {
    client.subscribe(
      { query },
      {
        next: ({ data, errors }) => {
          heard.push(errors ?? data)
          look('answers', 'what a subscriber heard', JSON.stringify({ data, errors }))
          wake()
        },
        error: resolve,
        complete: () => resolve('complete'),
      },
    )
  })
  await Promise.race([connected, ended])
  return {
    heard,
    ended,
    async until(count) {
      while (heard.length < count) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      return heard
    },
    stop: async () => void (await client.dispose()),
  }
}
