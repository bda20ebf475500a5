/**
 * Who a key is: what every call with one asks.
 *
 * A key that was asked for is kept in memory until `forgetOrg`, which whoever hears of a change of its org's keys calls; a call
 * with it costs one SHA-256 and no statement. That it was used is written down later and at most once a minute, all keys in one.
 */
import { type Scope, scopesIn } from '@posthorn/contract'
import type { Clock, Timer } from '../clock.ts'
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { Generations } from '../generations.ts'
import type { Log } from '../log.ts'
import type { KnownKey } from './caller.ts'
import { Lookups } from './lookups.ts'
import { hashToken, isToken } from './tokens.ts'

export interface KeyBookOptions {
  readonly db: Executor
  readonly clock: Clock
  readonly log: Log
}

const FIND = loadStatement(import.meta.url, './sql/find_keys.sql')
const NOTE_USES = loadStatement(import.meta.url, './sql/note_uses.sql')
const NOTED_AGAIN_MS = 60_000
const WRITTEN_AFTER_MS = 1_000
const MOST_KEYS = 20_000

interface KeyRow {
  readonly hash: string
  readonly id: number
  readonly org_id: number
  readonly org_name: string
  readonly name: string
  readonly scopes: string[]
  readonly expires_at: Date | null
}

export class KeyBook {
  readonly #options: KeyBookOptions
  readonly #keys: Lookups<KnownKey>
  /** When (monotonic) the use of a key was noted, by its id. */
  readonly #noted = new Generations<number>(MOST_KEYS)
  #uses = new Map<KnownKey, number>()
  #timer: Timer | null = null
  #stopped = false

  constructor(options: KeyBookOptions) {
    this.#options = options
    this.#keys = new Lookups({ load: hashes => loadKeys(options.db, hashes), clock: options.clock })
  }

  /** The key, or null for one that is not, is not any more, or has run out. Rejects with DatabaseError. */
  find(token: string): KnownKey | null | Promise<KnownKey | null> {
    if (!isToken(token)) return null
    const found = this.#keys.find(hashToken(token))
    return found instanceof Promise ? found.then(key => this.#use(key)) : this.#use(found)
  }

  /** After changes of an org or its keys. */
  forgetOrg(orgId: number): void {
    this.#keys.forget(key => key.orgId === orgId)
  }

  /** Writes down what is noted, and nothing after that. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#write()
  }

  #use(key: KnownKey | null): KnownKey | null {
    const { clock } = this.#options
    if (key === null || (key.expiresAt !== null && key.expiresAt <= clock.now())) return null
    const noted = this.#noted.get(key.id)
    if (noted !== undefined && clock.monotonic() - noted < NOTED_AGAIN_MS) return key
    this.#noted.set(key.id, clock.monotonic())
    this.#uses.set(key, clock.now())
    if (!this.#stopped) this.#timer ??= clock.setTimer(() => void this.#write(), WRITTEN_AFTER_MS)
    return key
  }

  /** A use that cannot be written is not worth more than a line: the next one is a minute away. */
  async #write(): Promise<void> {
    const uses = [...this.#uses]
    this.#uses = new Map()
    this.#timer = null
    if (uses.length === 0) return
    const { db, log } = this.#options
    const column = <T>(read: (use: readonly [KnownKey, number]) => T): T[] => uses.map(read)
    await db
      .query(NOTE_USES, [column(([k]) => k.orgId), column(([k]) => k.id), column(([, at]) => new Date(at))])
      .catch((error: unknown) => log.debug({ err: error }, 'the last use of keys could not be written down'))
  }
}

async function loadKeys(db: Executor, hashes: readonly string[]): Promise<ReadonlyMap<string, KnownKey>> {
  const rows = await db.query<KeyRow>(FIND, [hashes])
  return new Map(rows.map(row => [row.hash, toKey(row)]))
}

function toKey(row: KeyRow): KnownKey {
  return Object.freeze({
    id: row.id,
    orgId: row.org_id,
    orgName: row.org_name,
    name: row.name,
    scopes: new Set<Scope>(row.scopes.flatMap(scopesIn)),
    expiresAt: row.expires_at?.getTime() ?? null,
  })
}
