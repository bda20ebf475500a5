import type { Clock } from '../clock.ts'
import type { Executor, Statement } from '../db/port.ts'
import { Lookups } from './lookups.ts'

export interface NamedOrg {
  readonly id: number
  readonly name: string
}

const FIND: Statement = {
  name: 'org_find',
  text: 'SELECT id, name FROM posthorn.org WHERE name = ANY ($1::text[]) AND deleted_at IS NULL',
}

/** Which org has a name, kept in memory until `forget`. */
export class OrgBook {
  readonly #orgs: Lookups<NamedOrg>

  constructor({ db, clock }: { readonly db: Executor; readonly clock: Clock }) {
    const load = async (names: readonly string[]) => {
      const rows = await db.query<NamedOrg>(FIND, [names])
      return new Map(rows.map(row => [row.name, row]))
    }
    this.#orgs = new Lookups({ load, clock })
  }

  /** Null if there is none. Rejects with DatabaseError. */
  find(name: string): NamedOrg | null | Promise<NamedOrg | null> {
    return this.#orgs.find(name)
  }

  forget(orgId: number): void {
    this.#orgs.forget(({ id }) => id === orgId)
  }
}
