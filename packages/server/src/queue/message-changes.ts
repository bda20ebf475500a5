/** Messages that are there: looked at, changed, and made live again, one at a time or all that are found. */
import { setTimeout as wait } from 'node:timers/promises'
import { type Found, type Message, type MessageUpdate, Problem } from '@posthorn/contract'
import type { Database, Executor, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Ids } from '../id.ts'
import { type AnyQuery, type ById, findById } from '../list/page.ts'
import type { Caller } from '../tenant/caller.ts'
import { findAgain, findTogether, mostChanged, readTogether } from './found.ts'
import type { MessageInputRules } from './message-input.ts'
import { messageSource, OUTCOMES } from './message-source.ts'
import { changeMessage, changeMessages, lockFree } from './message-update.ts'

export interface MessageRoom extends MessageInputRules {
  readonly db: Database
  readonly ids: Pick<Ids, 'webhookId'>
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
  /** Bound on lists that no index serves, in milliseconds. */
  readonly listLimitMs: number
}

type Outcomes = readonly (keyof typeof OUTCOMES)[]

export const SETTLED = Object.keys(OUTCOMES) as Outcomes
const REVIVE = loadStatement(import.meta.url, './sql/revive_messages.sql')
const IS_QUEUE: Statement = {
  name: 'queue_is_there',
  text: 'SELECT id FROM posthorn.queue WHERE id = $1::int AND deleted_at IS NULL',
}

const sourceOf = (room: MessageRoom, orgId: number, query: Pick<AnyQuery, 'where' | 'fields'>) =>
  messageSource(orgId, query, room.ids.webhookId)

/** @throws Problem message_not_found */
export async function getMessage(room: MessageRoom, db: Executor, orgId: number, id: number): Promise<Message> {
  const message = await findById(db, sourceOf(room, orgId, { where: [], fields: null }), id)
  if (!message) throw new Problem('message_not_found', { id })
  return message
}

/** Changes a live message; a settled one with `sentAt: null` is sent again first, as in pg-hooks. */
export async function updateMessage(
  room: MessageRoom,
  { orgId }: Caller,
  input: MessageUpdate & ById,
): Promise<Message> {
  const { id, ...patch } = input
  await room.db.transaction(async tx => {
    if (await changeMessage(tx, orgId, id, patch, room)) return
    if (patch.sentAt !== null) throw await whyNotLive(room, tx, orgId, id)
    await reviveAll(room, tx, orgId, [id], SETTLED)
    await changeMessage(tx, orgId, id, patch, room)
  })
  room.changed()
  return getMessage(room, room.db, orgId, id)
}

/** A message that is just being settled or changed is waited for a moment, with nothing held. */
const TRIES = 40
const PAUSE_MS = 50

/** Changes all messages that are found, or none; settled ones as a single change does. */
export async function updateFound(
  room: MessageRoom,
  { orgId }: Caller,
  input: MessageUpdate & Found,
): Promise<Message[]> {
  const { where, anyOf, fields, ...patch } = input
  const found = { where, anyOf }
  const light = sourceOf(room, orgId, { where, fields: ['id'] })
  const first = await findTogether(room.db, light, found, room.listLimitMs, mostChanged(patch))
  const ids = first.map(({ id }) => id)
  for (let left = TRIES; ids.length > 0; left--) {
    const changed = await room.db.transaction(async tx => {
      const locked = await lockFree(tx, orgId, ids)
      const again = await findAgain(tx, light, found, ids)
      const settled = again.filter(({ status }) => status !== 'pending')
      const held = locked.filter(({ id }) => again.some(message => message.id === id))
      if (held.length + settled.length < again.length) return null
      if (settled.length > 0 && patch.sentAt !== null) throw notLive(settled[0]!)
      const revived = settled.map(({ id }) => id)
      await reviveAll(room, tx, orgId, revived, SETTLED)
      const live = [...held, ...(revived.length > 0 ? await lockFree(tx, orgId, revived) : [])]
      await changeMessages(tx, orgId, live, patch, room)
      return readTogether(
        tx,
        sourceOf(room, orgId, { where: [], fields }),
        again.map(({ id }) => id),
      )
    })
    if (changed) {
      room.changed()
      return changed
    }
    if (left === 1) throw new Problem('message_busy', {})
    await wait(PAUSE_MS)
  }
  return []
}

export async function reviveMessage(
  room: MessageRoom,
  { orgId }: Caller,
  id: number,
  from: Outcomes,
): Promise<Message> {
  await reviveAll(room, room.db, orgId, [id], from)
  room.changed()
  return getMessage(room, room.db, orgId, id)
}

/** @throws Problem that says of the first one why not: within a transaction, all of them or none */
async function reviveAll(room: MessageRoom, db: Executor, orgId: number, ids: readonly number[], from: Outcomes) {
  if (ids.length === 0) return
  const revived = await db.query<ById>(REVIVE, [orgId, ids, from.map(status => OUTCOMES[status])])
  const missing = ids.find(id => !revived.some(row => row.id === id))
  if (missing !== undefined) throw await whyNotRevived(room, db, orgId, missing, from)
}

export async function whyNotLive(room: MessageRoom, db: Executor, orgId: number, id: number): Promise<Problem> {
  return notLive(await getMessage(room, db, orgId, id))
}

const notLive = ({ id, status }: Message): Problem => new Problem('message_not_live', { id, status })

async function whyNotRevived(
  room: MessageRoom,
  db: Executor,
  orgId: number,
  id: number,
  from: readonly string[],
): Promise<Problem> {
  const { status, queueId, expungedAt } = await getMessage(room, db, orgId, id)
  if (expungedAt !== null) return new Problem('message_expunged', { id, at: expungedAt })
  if (!from.includes(status)) {
    return from.length === 1
      ? new Problem('message_not_dead', { id, status })
      : new Problem('message_not_settled', { id })
  }
  const [queue] = await db.query(IS_QUEUE, [queueId])
  return queue ? new Problem('message_body_gone', { id }) : new Problem('queue_not_found', { id: queueId })
}
