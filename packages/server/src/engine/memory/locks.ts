import type { LockHold, Locks } from '../port.ts'
import type { Store } from './store.ts'

interface Session {
  member: boolean
  readonly shards: Set<number>
  lastWord: number
  readonly idleTimeoutMs: number
  readonly ended: (reason: Error) => void
}

/** Locks for tests and the simulation: many nodes in one process, sessions that idle out by the same clock. */
export class MemoryLocks implements Locks {
  readonly #store: Store
  readonly #sessions = new Set<Session>()
  #leader: Session | null = null

  constructor(store: Store) {
    this.#store = store
  }

  async open(idleTimeoutMs: number, ended: (reason: Error) => void): Promise<LockHold> {
    if (!Number.isInteger(idleTimeoutMs)) throw new RangeError(`idleTimeoutMs must be whole, not ${idleTimeoutMs}`)
    const session: Session = { member: false, shards: new Set(), lastWord: this.#now, idleTimeoutMs, ended }
    this.#sessions.add(session)
    return this.#holdOf(session)
  }

  /** Ends sessions as a server would: all of them, or those that a fault picked. */
  cut(reason: string, pick: (nth: number) => boolean = () => true): void {
    for (const [nth, session] of [...this.#sessions].entries()) if (pick(nth)) this.#end(session, new Error(reason))
  }

  get #now(): number {
    return this.#store.options.clock.monotonic()
  }

  #end(session: Session, reason: Error | null): void {
    if (!this.#sessions.delete(session)) return
    if (this.#leader === session) this.#leader = null
    if (reason) session.ended(reason)
  }

  /** A session that has been silent too long is gone before anyone looks. */
  #sweepIdle(): void {
    for (const session of [...this.#sessions])
      if (this.#now - session.lastWord >= session.idleTimeoutMs) this.#end(session, new Error('idle-session timeout'))
  }

  #speak(session: Session): void {
    this.#sweepIdle()
    if (!this.#sessions.has(session)) throw new Error('the lock session has ended')
    session.lastWord = this.#now
  }

  #locked(): Set<number> {
    return new Set([...this.#sessions].flatMap(session => [...session.shards]))
  }

  #holdOf(session: Session): LockHold {
    const said = async <T>(act: () => T): Promise<T> => {
      this.#speak(session)
      return act()
    }
    return {
      join: () =>
        said(() => {
          session.member = true
        }),
      leave: () =>
        said(() => {
          session.member = false
        }),
      look: () =>
        said(() => ({
          members: [...this.#sessions].filter(({ member }) => member).length,
          locked: [...this.#locked()],
        })),
      lock: shards =>
        said(() => {
          const locked = this.#locked()
          const free = shards.filter(shard => !locked.has(shard))
          for (const shard of free) session.shards.add(shard)
          return free
        }),
      unlock: shards =>
        said(() => {
          for (const shard of shards) session.shards.delete(shard)
        }),
      take: shards =>
        said(() =>
          shards.map(shard => {
            const previousEpoch = this.#store.epochs.get(shard) ?? 0
            this.#store.epochs.set(shard, previousEpoch + 1)
            return { shard, epoch: previousEpoch + 1, previousEpoch }
          }),
        ),
      lead: () =>
        said(() => {
          this.#leader ??= session
          return this.#leader === session
        }),
      close: async () => this.#end(session, null),
    }
  }
}
