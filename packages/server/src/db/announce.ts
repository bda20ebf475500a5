import type { Database, Executor, Statement } from './port.ts'
import { lockSpaceOf } from './schema.ts'

const NOTIFY: Statement = { name: 'notify', text: 'SELECT pg_notify($1, $2)' }
const PING: Statement = { name: 'ping', text: 'SELECT 1' }

/** The channel of this installation: channels belong to the database, so the schema is in the name. */
export function channelOf({ schema }: Pick<Database, 'schema'>): string {
  return `posthorn_${lockSpaceOf(schema) >>> 0}`
}

/** Tells all listeners of a channel, this node's own among them. @throws DatabaseError */
export async function notify(db: Executor, channel: string, payload: string): Promise<void> {
  await db.query(NOTIFY, [channel, payload])
}

/** Whether the database answers. Never rejects. */
export function answers(db: Executor): Promise<boolean> {
  return db.query(PING).then(
    () => true,
    () => false,
  )
}
