/**
 * What an org uses for a function, at the moment of use.
 *
 * An answer is at most half a second old, so a change reaches every node within a second without anybody being told.
 * Questions that come together are one statement, however many orgs they are about; nobody asks while nothing is sent.
 */
import type { ServiceFunction } from '@posthorn/contract'
import type { Clock } from '../clock.ts'
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { FreshAnswers } from './fresh-answers.ts'
import type { StoredService } from './stored-service.ts'

export interface Assignment {
  readonly orgId: number
  readonly orgName: string
  readonly emailFrom: string | null
  /** Whose service it is, if it is not the org's own. */
  readonly lender: { readonly name: string; readonly emailFrom: string | null } | null
  /** Null: SYSTEM, and the instance org has none for this function. */
  readonly service: StoredService | null
}

export interface AssignmentsOptions {
  readonly db: Executor
  readonly clock: Clock
  readonly instanceOrgId: number
}

interface Question {
  readonly orgId: number
  readonly work: ServiceFunction
  readonly resolve: (answer: Assignment | null) => void
  readonly reject: (error: unknown) => void
}

const FRESH_MS = 500
const RESOLVE = loadStatement(import.meta.url, './sql/resolve_backends.sql')

export class Assignments {
  readonly #options: AssignmentsOptions
  readonly #known: FreshAnswers<Assignment | null>
  #asked: Question[] = []

  constructor(options: AssignmentsOptions) {
    this.#options = options
    this.#known = new FreshAnswers(options.clock, FRESH_MS)
  }

  /** Null: the function has no backend. @throws DatabaseError */
  find(orgId: number, work: ServiceFunction): Promise<Assignment | null> {
    return this.#known.get(`${orgId} ${work}`, () => {
      return new Promise((resolve, reject) => {
        this.#asked.push({ orgId, work, resolve, reject })
        if (this.#asked.length === 1) setImmediate(() => void this.#ask())
      })
    })
  }

  async #ask(): Promise<void> {
    const asked = this.#asked
    this.#asked = []
    try {
      const params = [asked.map(({ orgId }) => orgId), asked.map(({ work }) => work), this.#options.instanceOrgId]
      const rows = await this.#options.db.query<Row>(RESOLVE, params)
      const found = new Map(rows.map(row => [`${row.for_org} ${row.function}`, row]))
      for (const { orgId, work, resolve } of asked) {
        const row = found.get(`${orgId} ${work}`)
        resolve(row ? assignmentOf(row) : null)
      }
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
}

interface Row extends Omit<StoredService, 'id'> {
  readonly for_org: number
  readonly function: string
  readonly org_name: string
  readonly email_from: string | null
  readonly system: boolean
  readonly lender_name: string | null
  readonly lender_email_from: string | null
  readonly id: number | null
}

function assignmentOf(row: Row): Assignment {
  const { id, org_id, name, host, username, password, path, version } = row
  return {
    orgId: row.for_org,
    orgName: row.org_name,
    emailFrom: row.email_from,
    lender: row.system ? { name: row.lender_name ?? '', emailFrom: row.lender_email_from } : null,
    service: id === null ? null : { id, org_id, name, host, username, password, path, version },
  }
}
