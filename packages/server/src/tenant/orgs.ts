import type { Executor, Statement } from '../db/port.ts'

export interface Org {
  readonly id: number
  readonly name: string
  readonly title: string
}

/** On whose behalf an operation runs: it sees and changes this org's records only. */
export interface Caller {
  readonly orgId: number
}

const FIND: Statement = {
  name: 'org_find',
  text: 'SELECT id, name, title FROM posthorn.org WHERE name = $1 AND deleted_at IS NULL',
}

/** @throws DatabaseError */
export async function findOrg(db: Executor, name: string): Promise<Org | undefined> {
  const [org] = await db.query<Org>(FIND, [name])
  return org
}
