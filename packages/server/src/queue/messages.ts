/**
 * Messages: put, looked at, changed, stopped, sent again.
 *
 * A message is live in one table or settled in another, under one id; every act moves it in one statement, so it is never
 * in both and never in neither. Whatever takes a live message from under its owner is noted (`change`) in the same commit,
 * and whatever makes one live gives it a new transaction id, by which the owner's sweep finds it.
 */
import {
  describeProblem,
  type Found,
  type Message,
  type MessagePut,
  type MessageUpdate,
  type Page,
  Problem,
  type PutManyResult,
} from '@posthorn/contract'
import { DatabaseError } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { NewMessage, PutResult } from '../engine/port.ts'
import { type AnyQuery, type ById, listPage } from '../list/page.ts'
import type { Caller } from '../tenant/caller.ts'
import type { QueueBook, QueueConfig } from './book.ts'
import { expunge } from './expunge.ts'
import {
  getMessage,
  type MessageRoom,
  reviveMessage,
  SETTLED,
  updateFound,
  updateMessage,
  whyNotLive,
} from './message-changes.ts'
import { newMessage } from './message-input.ts'
import { messageSource } from './message-source.ts'
import { storedMessage } from './stored-message.ts'

export interface MessagesOptions extends MessageRoom {
  readonly book: Pick<QueueBook, 'get' | 'find'>
  /** Stores one message durably; many callers share a commit. */
  readonly put: (message: NewMessage) => Promise<PutResult>
  /** Stores these in their order. One that is refused fails alone. */
  readonly putAll: (messages: readonly NewMessage[]) => Promise<readonly PromiseSettledResult<PutResult>[]>
  /** Stores all of these or none, in one commit. */
  readonly putTogether: (messages: readonly NewMessage[]) => Promise<readonly PutResult[]>
}

export type Messages = ReturnType<typeof createMessages>

/** The operations on messages, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createMessages(room: MessagesOptions) {
  return {
    list: ({ orgId }: Caller, query: AnyQuery): Promise<Page<Message>> =>
      listPage(room.db, messageSource(orgId, query, room.ids.webhookId), query, room.listLimitMs),
    put: (caller: Caller, input: MessagePut) => putMessage(room, caller, input),
    putMany: (caller: Caller, input: { readonly messages: readonly MessagePut[]; readonly together?: boolean }) =>
      (input.together ? putTogether : putMessages)(room, caller, input.messages),
    get: ({ orgId }: Caller, { id }: ById) => getMessage(room, room.db, orgId, id),
    update: (caller: Caller, input: MessageUpdate & ById) => updateMessage(room, caller, input),
    updateMany: (caller: Caller, input: MessageUpdate & Found) => updateFound(room, caller, input),
    delete: (caller: Caller, { id }: ById) => deleteMessage(room, caller, id),
    cancel: (caller: Caller, input: ById & { readonly reason?: string }) => cancelMessage(room, caller, input),
    expunge: (caller: Caller, { id }: ById) => expungeMessage(room, caller, id),
    redrive: (caller: Caller, { id }: ById) => reviveMessage(room, caller, id, ['dead']),
    resend: (caller: Caller, { id }: ById) => reviveMessage(room, caller, id, SETTLED),
  }
}

const CANCEL = loadStatement(import.meta.url, './sql/cancel_message.sql')
const DELETE = loadStatement(import.meta.url, './sql/delete_message.sql')

async function findQueue(room: MessagesOptions, orgId: number, id: number): Promise<QueueConfig> {
  const queue = room.book.get(id) ?? (await room.book.find([id])).get(id)
  if (queue?.orgId !== orgId) throw new Problem('queue_not_found', { id })
  return queue
}

async function putMessage(room: MessagesOptions, { orgId, trace }: Caller, input: MessagePut): Promise<Message> {
  const message = newMessage(await findQueue(room, orgId, input.queueId), input, room, trace)
  const result = await room.put(message)
  if (result.kind === 'stored') return storedMessage(message, result, room.ids.webhookId(result.id))
  if (result.kind === 'conflict') throw new Problem('idempotency_conflict', { id: result.id })
  return getMessage(room, room.db, orgId, result.id)
}

/** One result for each message, in their order; one that is refused does not stop the others. */
async function putMessages(
  room: MessagesOptions,
  { orgId, trace }: Caller,
  inputs: readonly MessagePut[],
): Promise<{ results: PutManyResult[] }> {
  const queues = await room.book.find(inputs.map(input => input.queueId))
  const messages: NewMessage[] = []
  const refused = inputs.map(input => {
    try {
      const queue = queues.get(input.queueId)
      if (queue?.orgId !== orgId) throw new Problem('queue_not_found', { id: input.queueId })
      messages.push(newMessage(queue, input, room, trace))
      return null
    } catch (error) {
      return failed(error)
    }
  })
  const stored = (await room.putAll(messages)).values()
  return { results: refused.map(result => result ?? resultOf(stored.next().value!)) }
}

function resultOf(put: PromiseSettledResult<PutResult>): PutManyResult {
  if (put.status === 'rejected') return failed(put.reason)
  const { kind: result, id } = put.value
  return result === 'conflict' ? failed(new Problem('idempotency_conflict', { id })) : { result, id }
}

function failed(error: unknown): PutManyResult {
  return { result: 'error', id: null, error: describeProblem(error instanceof Problem ? error : fromDatabase(error)) }
}

/** All of them or none. @throws Problem of the first that is refused */
async function putTogether(
  room: MessagesOptions,
  { orgId, trace }: Caller,
  inputs: readonly MessagePut[],
): Promise<{ results: PutManyResult[] }> {
  const queues = await room.book.find(inputs.map(input => input.queueId))
  const messages = inputs.map((input, i) => {
    const queue = queues.get(input.queueId)
    if (queue?.orgId !== orgId) throw new Problem('queue_not_found', { id: input.queueId })
    if (input.idempotencyKey !== undefined) {
      const field = `body/messages/${i}/idempotencyKey`
      throw new Problem('validation_failed', {
        problem: `${field} must not be given to messages that go together`,
        field,
      })
    }
    return newMessage(queue, input, room, trace)
  })
  const results = await room.putTogether(messages)
  return { results: results.map(({ id }) => ({ result: 'stored', id })) }
}

/** What was lost on the way is each message's own affair: its neighbours may be in another commit. */
function fromDatabase(error: unknown): Problem {
  if (!(error instanceof DatabaseError) || error.outcome === 'rejected') throw error
  return new Problem(error.outcome === 'unknown' ? 'outcome_unknown' : 'database_unavailable', {}, { cause: error })
}

/** Gives the message as it was. */
async function deleteMessage(room: MessagesOptions, { orgId }: Caller, id: number): Promise<Message> {
  const last = await getMessage(room, room.db, orgId, id)
  const [gone] = await room.db.query(DELETE, [orgId, id])
  if (!gone) throw new Problem('message_not_found', { id })
  room.changed()
  return last
}

async function cancelMessage(
  room: MessagesOptions,
  { orgId }: Caller,
  { id, reason = 'cancelled' }: ById & { readonly reason?: string },
): Promise<Message> {
  const [cancelled] = await room.db.query(CANCEL, [orgId, id, reason])
  if (!cancelled) throw await whyNotLive(room, room.db, orgId, id)
  room.changed()
  return getMessage(room, room.db, orgId, id)
}

async function expungeMessage(room: MessagesOptions, { orgId }: Caller, id: number): Promise<Message> {
  if (!(await expunge(room.db, orgId, id))) throw new Problem('message_not_found', { id })
  room.changed()
  return getMessage(room, room.db, orgId, id)
}
