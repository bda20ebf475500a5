import type { Database, Executor, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Belongings } from '../tenant/orgs.ts'

const COUNT: Statement = {
  name: 'count_services_of_org',
  text: 'SELECT count(*) AS services FROM posthorn.service WHERE org_id = $1::int',
}
const REMOVE = loadStatement(import.meta.url, './sql/remove_services_of_org.sql')

/** Services, what they were attached to, and templates, as what an org owns. They are few: one statement takes them. */
export function backendBelongings(): Belongings {
  return {
    async count(db: Executor, orgId) {
      const [counts] = await db.query<{ services: number }>(COUNT, [orgId])
      return counts!
    },
    async removeSome(db: Database, orgId) {
      await db.query(REMOVE, [orgId])
      return 'none'
    },
  }
}
