import type { Executor, Statement } from '../db/port.ts'

/** The org that runs the installation; the first migration makes it. */
export const INSTANCE_ORG = 'instance'

export interface Org {
  readonly id: number
  readonly name: string
  readonly title: string
}

/** On whose behalf an operation runs: it sees and changes this org's records only. */
export interface Caller {
  readonly orgId: number
}

const FIND: Statement = { name: 'org_find', text: 'SELECT id, name, title FROM posthorn.org WHERE name = $1' }

/** @throws DatabaseError */
export async function findOrg(db: Executor, name: string): Promise<Org | undefined> {
  const [org] = await db.query<Org>(FIND, [name])
  return org
}
