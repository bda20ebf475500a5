/**
 * Listening over the one session of the embedded database. A new worker knows nothing of what the last one listened to:
 * `restore` tells it, before any other statement, and then lets the listeners know that they may have missed something.
 */
import type { ClientBase } from 'pg'
import type { Executor, Listening } from './port.ts'
import { quoteIdentifier } from './schema.ts'

interface Listener {
  readonly heard: (payload: string) => void
  readonly missed: () => void
}

export class Channels {
  readonly #listeners = new Map<string, Set<Listener>>()

  async listen(
    database: Executor,
    channel: string,
    heard: Listener['heard'],
    missed: Listener['missed'],
  ): Promise<Listening> {
    const listener = { heard, missed }
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners.add(listener))
    try {
      await database.exec(`LISTEN ${quoteIdentifier(channel)}`)
    } catch (error) {
      listeners.delete(listener)
      throw error
    }
    missed()
    // The session goes on listening: what nobody hears any more costs nothing.
    return { stop: async () => void listeners.delete(listener) }
  }

  deliver(channel: string, payload: string): void {
    for (const { heard } of this.#listeners.get(channel) ?? []) heard(payload)
  }

  async restore(client: ClientBase): Promise<void> {
    for (const [channel, listeners] of this.#listeners) {
      await client.query(`LISTEN ${quoteIdentifier(channel)}`)
      for (const { missed } of listeners) missed()
    }
  }
}
