/**
 * Changes: who saved or deleted which record, for whoever listens.
 *
 * Every write that succeeded is published once, by the node that carried it out, to its own subscribers; and to the other
 * nodes' as long as one of them says that it has any: without subscribers nothing is sent. Only ids travel between
 * nodes; whoever hears of one reads the record itself, with its own rights. Nothing is stored or sent again: a change is
 * missed by who is not connected when it happens, or by a node whose listening connection is being restored.
 */
import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'

export interface Change {
  readonly orgId: number
  /** The resource's name. */
  readonly resource: string
  readonly act: 'saved' | 'deleted'
  readonly id: number
}

export interface Changes {
  /** Whether anybody hears of what is published, here or on another node. */
  readonly isAwaited: boolean
  /** Never throws. */
  publish(change: Change): void
  /** Hears of every change from here on, in order, until the function that it gives is called. */
  subscribe(hear: (change: Change) => void): () => void
}

export interface ChangesOptions {
  readonly clock: Clock
  readonly log: Log
  /** Tells all nodes, this one among them; null where there are no others. */
  readonly send: ((payload: string) => Promise<void>) | null
  /** Tells this node's words from those of others. */
  readonly nodeId: string
}

const PREFIX = 'records '
/** PostgreSQL takes payloads of up to 7999 bytes. */
const MAX_PAYLOAD = 7_900
const DEBOUNCE_MS = 20
/** How long others are told of changes after one said that it has subscribers, and how often it says so. */
const INTEREST_MS = 30_000
const REPEAT_MS = 10_000
const NEVER = Number.NEGATIVE_INFINITY
/** Of those that wait to be sent; more come only if the database takes nothing for seconds. */
const MAX_WAITING = 50_000

type Word =
  | { readonly node: string; readonly wants: true }
  | { readonly node: string; readonly changes: readonly (readonly [number, string, Change['act'], number])[] }

/** The changes of this node and, through `send` and `heard`, of the others. */
export class NodeChanges implements Changes {
  readonly #options: ChangesOptions
  readonly #subscribers = new Set<(change: Change) => void>()
  #waiting: Change[] = []
  #wantedUntil = NEVER
  #sendTimer: Timer | null = null
  #repeatTimer: Timer | null = null
  #stopped = false

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  publish(change: Change): void {
    this.#tell(change)
    const { send, clock } = this.#options
    if (!send || this.#stopped || !this.#areOthersWaiting || this.#waiting.length >= MAX_WAITING) return
    this.#waiting.push(change)
    this.#sendTimer ??= clock.setTimer(() => void this.#sendAll(), DEBOUNCE_MS)
  }

  get isAwaited(): boolean {
    return this.#subscribers.size > 0 || this.#areOthersWaiting
  }

  get #areOthersWaiting(): boolean {
    return this.#wantedUntil !== NEVER && this.#options.clock.monotonic() <= this.#wantedUntil
  }

  /** How many subscribe here. */
  get subscribers(): number {
    return this.#subscribers.size
  }

  subscribe(hear: (change: Change) => void): () => void {
    this.#subscribers.add(hear)
    if (!this.#repeatTimer) this.#sayInterest()
    return () => void this.#subscribers.delete(hear)
  }

  /** Takes what came over the nodes' channel. False if it is about something else. */
  heard(payload: string): boolean {
    if (!payload.startsWith(PREFIX)) return false
    const word = readWord(payload)
    if (word === null || word.node === this.#options.nodeId) return true
    if ('wants' in word) this.#wantedUntil = this.#options.clock.monotonic() + INTEREST_MS
    else for (const [orgId, resource, act, id] of word.changes) this.#tell({ orgId, resource, act, id })
    return true
  }

  stop(): void {
    this.#stopped = true
    this.#sendTimer?.cancel()
    this.#repeatTimer?.cancel()
  }

  #tell(change: Change): void {
    for (const hear of this.#subscribers) hear(change)
  }

  #sayInterest(): void {
    const { clock, send, nodeId } = this.#options
    this.#repeatTimer = null
    if (!send || this.#stopped || this.#subscribers.size === 0) return
    this.#repeatTimer = clock.setTimer(() => this.#sayInterest(), REPEAT_MS)
    void this.#send(`${PREFIX}${JSON.stringify({ node: nodeId, wants: true })}`)
  }

  async #sendAll(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const payload of toPayloads(this.#options.nodeId, waiting)) await this.#send(payload)
    this.#sendTimer =
      this.#waiting.length > 0 ? this.#options.clock.setTimer(() => void this.#sendAll(), DEBOUNCE_MS) : null
  }

  async #send(payload: string): Promise<void> {
    await this.#options.send!(payload).catch((error: unknown) =>
      this.#options.log.debug({ err: error }, 'subscribers of other nodes missed some changes'),
    )
  }
}

/** Null for what is none of ours: whoever may connect to the database may notify. */
function readWord(payload: string): Word | null {
  try {
    const word = JSON.parse(payload.slice(PREFIX.length)) as Word
    return 'wants' in word || Array.isArray(word.changes) ? word : null
  } catch {
    return null
  }
}

function toPayloads(node: string, changes: readonly Change[]): string[] {
  const open = `${PREFIX}{"node":${JSON.stringify(node)},"changes":[`
  const payloads: string[] = []
  let parts: string[] = []
  let length = 0
  const close = (): void => {
    if (parts.length > 0) payloads.push(`${open}${parts.join(',')}]}`)
    parts = []
    length = 0
  }
  for (const { orgId, resource, act, id } of changes) {
    const part = JSON.stringify([orgId, resource, act, id])
    if (open.length + length + part.length + 3 > MAX_PAYLOAD) close()
    parts.push(part)
    length += part.length + 1
  }
  close()
  return payloads
}
