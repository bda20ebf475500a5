/**
 * Subscriptions: queueSaved, queueDeleted, … for every resource.
 *
 * A subscriber is told what it could read itself: a saved record is read with its own rights when the change is heard,
 * and what it may not see is passed over. Who is not admitted, or has not the right to find, is told nothing, for as long
 * as it likes. Ends when the caller's token does, with its connection, and if the subscriber falls too far behind.
 */
import { Problem, type Resource } from '@posthorn/contract'
import { type GraphQLFieldConfig, type GraphQLFieldConfigMap, GraphQLID, GraphQLObjectType } from 'graphql'
import type { Clock } from '../../clock.ts'
import { mayAct } from '../access/rights.ts'
import type { Change, Changes } from '../changes.ts'
import type { CallContext } from '../handlers.ts'
import { actsOn, type Calls, type RequestContext, type Row, refuseUnreadable } from './calls.ts'
import { ChangeStream } from './change-stream.ts'
import { typeName } from './field-types.ts'
import { tooLarge } from './limits.ts'

/** What a subscription's resolvers share: those of a request, and its connection. */
export interface SubscriptionContext extends RequestContext {
  readonly connection: Connection
}

/** The open streams of one connection: they end with it. */
export class Connection {
  readonly #streams = new Set<ChangeStream>()
  #closed = false

  /** @throws GraphQLError if there are too many */
  add(stream: ChangeStream): void {
    if (this.#streams.size >= MAX_STREAMS) {
      throw tooLarge('The number of subscriptions of a connection', MAX_STREAMS, this.#streams.size + 1)
    }
    this.#streams.add(stream)
    stream.onEnd(() => this.#streams.delete(stream))
    if (this.#closed) void stream.return()
  }

  close(): void {
    this.#closed = true
    for (const stream of this.#streams) void stream.return()
  }
}

export const MAX_STREAMS = 100

type FieldConfig = GraphQLFieldConfig<unknown, SubscriptionContext>

export function subscriptionFields(
  calls: Calls,
  changes: Changes,
  clock: Clock,
  resource: Resource,
  type: GraphQLObjectType,
): GraphQLFieldConfigMap<unknown, SubscriptionContext> {
  const name = typeName(resource)
  const deleted = new GraphQLObjectType({ name: `${name}Deleted`, fields: { id: { type: GraphQLID } } })
  const stream = (act: Change['act'], read: Read): FieldConfig['subscribe'] => {
    return (_, __, context) => openStream({ changes, clock, resource, act, read }, context)
  }
  const openSaved = stream('saved', (id, context) => readRow(calls, resource, id, context))
  const saved: FieldConfig = {
    type,
    description: `Each ${resource.name} that is created or changed over the API.`,
    subscribe: (root, args, context, info) => {
      refuseUnreadable(context, resource, info)
      return openSaved!(root, args, context, info)
    },
    resolve: row => row,
  }
  const gone: FieldConfig = {
    type: deleted,
    description: `The id of each ${resource.name} that is deleted.`,
    subscribe: stream('deleted', async id => ({ id })),
    resolve: row => row,
  }
  return { [`${resource.name}Saved`]: saved, ...(actsOn(resource).delete && { [`${resource.name}Deleted`]: gone }) }
}

type Read = (id: number, context: RequestContext) => Promise<Row | null>

interface Subscribed {
  readonly changes: Changes
  readonly clock: Clock
  readonly resource: Resource
  readonly act: Change['act']
  readonly read: Read
}

function openStream(subscribed: Subscribed, context: SubscriptionContext): ChangeStream {
  const { changes, resource, act, read, clock } = subscribed
  const { caller } = context
  const stream: ChangeStream = new ChangeStream(async id => {
    if (await isStillGood(caller)) return read(id, context)
    void stream.return()
    return null
  })
  context.connection.add(stream)
  if (caller instanceof Problem || !mayHear(caller, resource, act)) return stream
  stream.onEnd(
    changes.subscribe(change => {
      if (change.resource === resource.name && change.act === act && change.orgId === caller.orgId)
        stream.push(change.id)
    }),
  )
  if (caller.until !== null) stream.endAt(caller.until, clock)
  return stream
}

/** A key that was revoked hears nothing more; where that cannot be asked, this change is missed, as any other. */
async function isStillGood(caller: CallContext | Problem): Promise<boolean> {
  if (caller instanceof Problem || !caller.stillHolds) return true
  return caller.stillHolds().catch(() => false)
}

/** A deleted record cannot be compared with conditions any more: who is bound by some is not told. */
function mayHear(caller: CallContext, { name }: Resource, act: Change['act']): boolean {
  if (!mayAct(caller, `${name}:find`)) return false
  return act === 'saved' || caller.rights === null || caller.rights.of(name, 'find')!.where.length === 0
}

async function readRow(calls: Calls, resource: Resource, id: number, context: RequestContext): Promise<Row | null> {
  try {
    return (await calls.call(actsOn(resource).get!, context, { id })) as Row
  } catch {
    return null // Deleted meanwhile, not for this caller, or the database is away: a missed change, as any other.
  }
}
