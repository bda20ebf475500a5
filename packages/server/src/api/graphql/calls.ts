/**
 * How a resolver reaches a handler: the caller must be admitted and have the right, and what goes in has passed the
 * operation's schema, as over REST.
 */
import {
  type ListQuery,
  MAX_LIMIT,
  type Operation,
  type OperationName,
  operationEntries,
  operations,
  type Page,
  Problem,
  type Resource,
} from '@posthorn/contract'
import { fillDefaults } from '../access/defaults.ts'
import { refuseSelection } from '../access/fields.ts'
import { mayAct, missing } from '../access/rights.ts'
import type { AnyHandler, CallContext, Handlers } from '../handlers.ts'
import { nullDropper } from '../input.ts'
import { objectToPayload, type Payload } from '../payload.ts'
import { handlerOf } from '../relations.ts'
import { checkerOf } from '../validator.ts'
import { type Selection, selectedFields } from './list-question.ts'

/** What every resolver of one request shares. */
export interface RequestContext {
  /** Who calls, or why nobody does: then no handler is reached. */
  readonly caller: CallContext | Problem
  readonly loads: Loads
}

/** Reads single rows that other rows lead to, many at once. */
export interface Loads {
  /** The row that `list` has under this id; null where there is none, or none for the caller. */
  load(list: OperationName, id: unknown, context: RequestContext): Promise<Row | null>
}

export type Row = Readonly<Record<string, unknown>>
export type Values = Record<string, unknown>

/** What can be done to the records of a resource, by the operations' names. */
export interface Acts {
  readonly list?: OperationName
  readonly get?: OperationName
  readonly create?: OperationName
  readonly update?: OperationName
  readonly updateMany?: OperationName
  readonly delete?: OperationName
  /** Creates many at once. */
  readonly createMany?: OperationName
}

/** An operation that finds by itself what it changes is none of these: it has a field of its own. */
export function actsOn(resource: Resource): Acts {
  const at = (verb: string, path: string): OperationName | undefined =>
    operationEntries.find(([, one]) => one.verb === verb && one.path === path && !one.broad)?.[0]
  const all = `/${resource.plural}/`
  const one = `${all}{id}`
  const create = at('POST', all)
  const many = operationEntries.find(([, { batch }]) => create && batch?.operation === create)?.[0]
  const found = {
    list: at('GET', all),
    get: at('GET', one),
    create,
    update: at('PUT', one),
    updateMany: at('PUT', all),
    delete: at('DELETE', one),
    createMany: many,
  }
  return Object.fromEntries(Object.entries(found).filter(([, name]) => name !== undefined))
}

export interface Calls {
  /** @throws Problem unauthorized where a call would */
  admit(name: OperationName, context: RequestContext): CallContext
  /** @throws Problem unauthorized, and whatever the handler throws */
  call(name: OperationName, context: RequestContext, input: object): Promise<unknown>
  list(name: OperationName, context: RequestContext, query: ListQuery): Promise<Page<Row>>
  /** Checks an input and makes it what the handler takes; `place` names it in messages. @throws Problem unauthorized, validation_failed */
  check(name: OperationName, context: RequestContext, input: Values, place: string): Values
}

export function createCalls(handlers: Handlers, maxBodyBytes: number): Calls {
  const handle = new Map<OperationName, AnyHandler>()
  const checks = new Map<OperationName, (input: Values, place: string) => Values>()
  const call = async (name: OperationName, context: RequestContext, input: object): Promise<unknown> => {
    const caller = callerFor(name, context)
    const handler = handle.get(name) ?? handlerOf(name, handlers)
    handle.set(name, handler)
    return handler(caller, input as never)
  }
  return {
    admit: callerFor,
    call,
    list: (name, context, query) => call(name, context, query) as Promise<Page<Row>>,
    check(name, context, input, place) {
      const filled = { ...input }
      fillDefaults(callerFor(name, context), name, filled)
      const check = checks.get(name) ?? createCheck(operations[name], maxBodyBytes)
      checks.set(name, check)
      return check(filled, place)
    },
  }
}

function callerFor(name: OperationName, { caller }: RequestContext): CallContext {
  if (caller instanceof Problem) throw caller
  const { scope }: Operation = operations[name]
  if (!mayAct(caller, scope)) throw missing(caller, scope)
  return caller
}

function createCheck(operation: Operation, maxBodyBytes: number) {
  const check = checkerOf(operation.input)
  const dropNulls = nullDropper(operation.input)
  const carriesPayload = 'headers' in operation.input.properties
  return (input: Values, place: string): Values => {
    dropNulls(input)
    const fault =
      check(input, place) ?? (carriesPayload ? objectToPayload(input as Payload, maxBodyBytes, place) : null)
    if (fault) throw fault
    return input
  }
}

/** @throws Problem field_unauthorized where a query selects of a row what its caller may not read */
export function refuseUnreadable(context: RequestContext, resource: Resource, info: Selection): void {
  const { caller } = context
  if (!(caller instanceof Problem) && caller.rights) refuseSelection(caller, resource, selectedFields(resource, info))
}

/** Reads rows by their ids, a page at a time; those that are not there, or not for the caller, are left out. */
export async function readRows(
  calls: Calls,
  list: OperationName,
  context: RequestContext,
  query: ListQuery,
  ids: readonly unknown[],
): Promise<Map<unknown, Row>> {
  const rows = new Map<unknown, Row>()
  for (let start = 0; start < ids.length; start += MAX_LIMIT) {
    const value = ids.slice(start, start + MAX_LIMIT) as number[]
    const where = [{ field: 'id', op: 'in' as const, value }] as unknown as ListQuery['where']
    const { items } = await calls.list(list, context, { ...query, limit: MAX_LIMIT, where })
    for (const row of items) rows.set(row.id, row)
  }
  return rows
}
