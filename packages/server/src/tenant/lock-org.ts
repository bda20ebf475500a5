import type { Executor, Statement } from '../db/port.ts'

const LOCK_ORG: Statement = {
  name: 'lock_org',
  text: 'SELECT id FROM posthorn.org WHERE id = $1::int FOR NO KEY UPDATE',
}

/** Holds the org until the transaction ends: of changes that must not cross one another within an org, one goes first. */
export async function lockOrg(tx: Executor, orgId: number): Promise<void> {
  await tx.query(LOCK_ORG, [orgId])
}
