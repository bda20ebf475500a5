/**
 * The inboxes of stand-ins: in the database, so that every node shows what any of them was given.
 *
 * What comes together is one statement, and one is under way at a time. Bounded in number by service, and in time to a day:
 * an inbox is to be looked at, and no archive.
 */
import type { Database } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Chore } from '../engine/chore.ts'
import { FaultError, faultOf } from '../services/faults.ts'
import { INBOX_KEEPS, type Inbox, type InboxEntry } from '../services/inbox.ts'

interface Arrived {
  readonly orgId: number
  readonly serviceId: number
  readonly entry: InboxEntry
  readonly done: (error?: unknown) => void
}

const KEEP = loadStatement(import.meta.url, './sql/keep_in_inbox.sql')
const TRIM = loadStatement(import.meta.url, './sql/trim_inboxes.sql')
const LIST = loadStatement(import.meta.url, './sql/list_inbox.sql')
const FORGET = loadStatement(import.meta.url, './sql/forget_inboxes.sql')
const AT_ONCE = 100
const FORGET_MS = 60_000

export class Inboxes {
  readonly #db: Database
  #arrived: Arrived[] = []
  #isWriting = false

  constructor(db: Database) {
    this.#db = db
  }

  get chores(): readonly Chore[] {
    const run = async (): Promise<void> => void (await this.#db.query(FORGET))
    return [{ name: 'inboxes', on: 'leader', everyMs: FORGET_MS, run }]
  }

  of({ id, org_id: orgId }: { readonly id: number; readonly org_id: number }): Inbox {
    return {
      add: async entries => void (await Promise.all(entries.map(entry => this.#add(orgId, id, entry)))),
      list: async () => {
        const rows = await this.#db.query<{ entry: string }>(LIST, [orgId, id, INBOX_KEEPS])
        return rows.map(({ entry }) => JSON.parse(entry) as InboxEntry)
      },
    }
  }

  #add(orgId: number, serviceId: number, entry: InboxEntry): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown): void => (error === undefined ? resolve() : reject(error))
      this.#arrived.push({ orgId, serviceId, entry, done })
      if (!this.#isWriting) void this.#write()
    })
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    await null // what is added in this turn goes together
    while (this.#arrived.length > 0) {
      const some = this.#arrived.splice(0, AT_ONCE)
      const error = await this.#keep(some)
      for (const { done } of some) done(error)
    }
    this.#isWriting = false
  }

  /** Gives why they could not be kept. */
  async #keep(some: readonly Arrived[]): Promise<FaultError | undefined> {
    const orgs = some.map(({ orgId }) => orgId)
    const services = some.map(({ serviceId }) => serviceId)
    const times = some.map(({ entry }) => new Date(entry.at))
    try {
      await this.#db.query(KEEP, [orgs, services, times, some.map(({ entry }) => JSON.stringify(entry))])
      await this.#db.query(TRIM, [orgs, services, INBOX_KEEPS])
      return undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return new FaultError(faultOf('unavailable', `its inbox could not be written: ${why}`))
    }
  }
}
