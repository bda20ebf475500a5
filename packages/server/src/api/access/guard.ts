/**
 * The one place where rights are enforced: between REST, GraphQL and subscriptions, and the handlers.
 *
 * How an operation is bounded follows from its declaration (scope, path, what comes out), so that a new one is guarded
 * without a line here; one of a form that is not known is refused to everybody but the admin. A record outside a grant's
 * conditions is answered as one that does not exist. Lists carry the conditions into their query. Single records are
 * read first, and acted on after: who changes a record in between, out of another's reach, is not waited for.
 */
import {
  type Condition,
  type ErrorCode,
  emptyListQuery,
  type Found,
  type HandledName,
  type ListQuery,
  neededRights,
  type Operation,
  operations,
  type Page,
  Problem,
  type Resource,
  type Right,
  resourceOf,
  resources,
  type Scope,
} from '@posthorn/contract'
import { refusedItem } from '../batch.ts'
import type { CallContext, Handlers } from '../handlers.ts'
import { holdsAll } from './checks.ts'
import { defaultsFor } from './defaults.ts'
import { pick, type Row, readableFields, refuseReading, refuseWriting } from './fields.ts'
import { type Grant, mayAct, missing, type Rights } from './rights.ts'

type Values = Readonly<Record<string, unknown>>
type Call = (context: CallContext, input: Values) => Promise<unknown>
type Enforce = (rights: Rights, context: CallContext, input: Values) => Promise<unknown>

/** The same handlers, heeding the rights of whoever calls. To the admin they cost one comparison. */
export function guard(handlers: Handlers): Handlers {
  const calls = handlers as unknown as Readonly<Record<HandledName, Call>>
  const guarded = (Object.keys(calls) as HandledName[]).map(name => {
    const handle = calls[name]
    const enforce = enforcement(name, calls) ?? refuseAll
    const needed = neededRights(operations[name])
    const call: Call = (context, input) => {
      if (context.rights === null) return handle(context, input)
      if (context.key) refuseBeyondScopes(context, needed)
      return enforce(context.rights, context, input)
    }
    return [name, call]
  })
  return Object.fromEntries(guarded)
}

/** @throws Problem scope_missing */
function refuseBeyondScopes(context: CallContext, needed: readonly Scope[]): void {
  const beyond = needed.find(scope => !mayAct(context, scope))
  if (beyond !== undefined) throw missing(context, beyond)
}

const refuseAll: Enforce = async () => {
  throw new Problem('unauthorized', {})
}

/** What stands before a handler; null for a form of operation that nothing is known to bound. */
export function enforcement(name: HandledName, calls: Readonly<Record<string, Call>>): Enforce | null {
  const operation: Operation = operations[name]
  const [entity, right] = operation.scope.split(':') as [string, Right]
  const guarded: Guarded = {
    operation,
    entity: resourceOf(entity),
    right,
    holder: holderOf(operation),
    handle: calls[name]!,
    find: (of, context, id) => calls[`${of.plural}.get`]!(context, { id }) as Promise<Row>,
  }
  const enforce = enforceGrant(guarded)
  if (operation.alsoScopes.length === 0 || enforce === null) return enforce
  return async (rights, context, input) => {
    for (const scope of operation.alsoScopes) reachOthers(guarded, rights, scope, input.id)
    return enforce(rights, context, input)
  }
}

function enforceGrant(guarded: Guarded): Enforce | null {
  const { operation, entity, right, holder } = guarded
  const { verb, of, list, batch, each } = operation
  if (batch) return saveMany(guarded)
  if (each) return updateFound(guarded)
  if (list) return holder === null ? listAll(guarded) : listWithin(guarded)
  if (holder === null) return verb === 'POST' && of === entity && !operation.broad ? create(guarded) : actOnAny(guarded)
  if (holder !== entity) return actWithin(guarded)
  if (right === 'find') return of === entity ? look(guarded) : act(guarded)
  return verb === 'PUT' && of === entity ? update(guarded) : act(guarded)
}

interface Guarded {
  readonly operation: Operation
  /** What the right is for … */
  readonly entity: Resource
  readonly right: Right
  /** … and whose id the path has, where it has one. */
  readonly holder: Resource | null
  readonly handle: Call
  readonly find: (of: Resource, context: CallContext, id: unknown) => Promise<Row>
}

function holderOf({ path }: Operation): Resource | null {
  const [, plural, parameter] = path.split('/')
  if (parameter !== '{id}') return null
  return Object.values<Resource>(resources).find(resource => resource.plural === plural) ?? null
}

function grantFor(rights: Rights, { entity, right }: Guarded): Grant {
  const grant = rights.of(entity.name, right)
  if (!grant) throw new Problem('unauthorized', {})
  return grant
}

function listAll(guarded: Guarded): Enforce {
  return async (rights, context, input) => {
    const { where, fields } = grantFor(rights, guarded)
    const query = input as unknown as ListQuery
    if (fields) refuseReading(query, fields)
    const asked = query.fields ?? (fields && readableFields(guarded.entity, fields))
    const page = (await guarded.handle(context, {
      ...input,
      where: [...query.where, ...where],
      fields: asked,
    })) as Page<Row>
    return fields ? { ...page, items: page.items.map(row => pick(row, fields)) } : page
  }
}

/** History has no conditions of its own: what it belongs to is in reach, or it is not. It counts as the field `attempts`. */
function listWithin(guarded: Guarded): Enforce {
  return async (rights, context, input) => {
    const grant = grantFor(rights, guarded)
    if (grant.fields && !grant.fields.has(guarded.operation.of!.plural)) throw new Problem('unauthorized', {})
    if (guarded.holder === guarded.entity) await reach(guarded, context, grant, input.id)
    else reachAllOf(guarded, grant, guarded.entity, input.id)
    return guarded.handle(context, input)
  }
}

function look(guarded: Guarded): Enforce {
  return async (rights, context, input) => {
    const grant = grantFor(rights, guarded)
    const row = (await guarded.handle(context, input)) as Row
    if (!holdsAll(guarded.entity, row, grant.where)) throw notFound(guarded.entity, input.id)
    return grant.fields ? pick(row, grant.fields) : row
  }
}

function create(guarded: Guarded): Enforce {
  return async (rights, context, input) => {
    const grant = grantFor(rights, guarded)
    const row = (await guarded.handle(context, prepare(guarded, rights, grant, input))) as Row
    if (!grant.fields) return row
    const readable = rights.of(guarded.entity.name, 'find')?.fields ?? []
    return pick(row, new Set([...grant.fields, ...readable, ...guarded.entity.primaryKey]))
  }
}

/** The record that may be created. What a check compares must be known of it beforehand. */
function prepare({ entity }: Guarded, rights: Rights, grant: Grant, input: Values): Values {
  refuseWriting(entity, grant, rights, input)
  const filled = { ...input, ...defaultsFor(rights, entity, entity.create.properties) }
  if (!holdsAll(entity, { ...entity.defaults, ...filled }, grant.where)) throw new Problem('unauthorized', {})
  return filled
}

/** One that is refused does not stop the others, unless they go together. */
function saveMany(guarded: Guarded): Enforce {
  const { items, together } = guarded.operation.batch!
  return async (rights, context, input) => {
    const grant = grantFor(rights, guarded)
    const isWhole = together === 'always' || input.together === true
    const prepared = (input[items] as Values[]).map(item => {
      try {
        return prepare(guarded, rights, grant, item)
      } catch (error) {
        if (error instanceof Problem && !isWhole) return error
        throw error
      }
    })
    const sound = prepared.filter(item => !(item instanceof Problem))
    const saved = sound.length > 0 ? await guarded.handle(context, { ...input, [items]: sound }) : { results: [] }
    const { results } = saved as { results: unknown[] }
    let next = 0
    return { results: prepared.map(item => (item instanceof Problem ? refusedItem(item) : results[next++])) }
  }
}

/** What was in reach must stay in reach: nobody changes a record into another's. */
function update(guarded: Guarded): Enforce {
  const { entity, handle } = guarded
  return async (rights, context, input) => {
    const grant = grantFor(rights, guarded)
    const before = grant.where.length > 0 ? await reach(guarded, context, grant, input.id) : {}
    const { id: _, ...patch } = input
    refuseWriting(entity, grant, rights, patch)
    const filled = { ...input, ...defaultsFor(rights, entity, entity.update.properties) }
    if (!holdsAll(entity, { ...before, ...filled }, grant.where)) throw new Problem('unauthorized', {})
    const row = (await handle(context, filled)) as Row
    return answerTo(rights, entity, row, Object.keys(patch))
  }
}

/**
 * Whoever changes all that is found asks which there are: only what may be found is, by fields that may be read; without
 * the right to find, by the primary key alone. What may not be saved is not found either.
 */
function updateFound(guarded: Guarded): Enforce {
  const { entity, handle } = guarded
  return async (rights, context, input) => {
    const grant = grantFor(rights, guarded)
    const { where, anyOf, fields: _, ...patch } = input as Values & Found
    const finds = rights.of(entity.name, 'find')
    if (finds === null || finds.fields) {
      const known = new Set([...(finds?.fields ?? []), ...entity.primaryKey])
      refuseReading({ ...emptyListQuery, where, anyOf } as ListQuery, known)
    }
    refuseWriting(entity, grant, rights, patch)
    const filled = { ...patch, ...defaultsFor(rights, entity, entity.update.properties) }
    const touched = grant.where.filter(({ field }) => field in filled)
    if (!holdsAll(entity, filled, touched)) throw new Problem('unauthorized', {})
    const reached = [...where, ...grant.where, ...(finds?.where ?? [])]
    const rows = (await handle(context, { ...filled, where: reached, anyOf, fields: null })) as Row[]
    return rows.map(row => answerTo(rights, entity, row, Object.keys(patch)))
  }
}

/** Deleting, and acts such as pausing: they concern the record as a whole, so a grant of some fields does not cover them. */
function act(guarded: Guarded): Enforce {
  const { operation, handle } = guarded
  return async (rights, context, input) => {
    const grant = wholeGrant(rights, operation.scope)
    if (grant.where.length > 0) await reachLine(guarded, context, grant, input.id)
    const answer = await handle(context, input)
    return operation.of ? answerTo(rights, operation.of, answer as Row, []) : answer
  }
}

/** Which record it will be nobody knows beforehand: it takes the right to all of them. */
function actOnAny({ operation, handle }: Guarded): Enforce {
  return async (rights, context, input) => {
    const { where } = wholeGrant(rights, operation.scope)
    if (where.length > 0) throw new Problem('unauthorized', {})
    const answer = await handle(context, input)
    return operation.of ? answerTo(rights, operation.of, answer as Row, []) : answer
  }
}

/** Acts on all messages of a queue, whichever they are. */
function actWithin(guarded: Guarded): Enforce {
  const { entity, operation, handle } = guarded
  return async (rights, context, input) => {
    reachAllOf(guarded, wholeGrant(rights, operation.scope), entity, input.id)
    return handle(context, input)
  }
}

/** What an operation tells of other records takes the right to them too. */
function reachOthers(guarded: Guarded, rights: Rights, scope: Scope, id: unknown): void {
  reachAllOf(guarded, wholeGrant(rights, scope), resourceOf(scope.split(':')[0]!), id)
}

/** A grant of all fields. @throws Problem unauthorized */
function wholeGrant(rights: Rights, scope: Scope): Grant {
  const [entity, right] = scope.split(':') as [string, Right]
  const grant = rights.of(entity, right)
  if (!grant || grant.fields) throw new Problem('unauthorized', {})
  return grant
}

/** @throws Problem as for a record that does not exist, where the grant does not reach it */
async function reach({ entity, find }: Guarded, context: CallContext, { where }: Grant, id: unknown): Promise<Row> {
  const row = await find(entity, context, id)
  if (!holdsAll(entity, row, where)) throw notFound(entity, id)
  return row
}

/** @throws Problem as `reach`; unauthorized, where what the record was made from is there and not in reach */
async function reachLine(guarded: Guarded, context: CallContext, grant: Grant, id: unknown): Promise<void> {
  const { entity, operation, find } = guarded
  const { line } = operation
  let row: Row | null = await reach(guarded, context, grant, id)
  while (line !== null && row !== null && row[line] !== null) {
    row = await find(entity, context, row[line]).catch(nullIfMissing)
    if (row !== null && !holdsAll(entity, row, grant.where)) throw new Problem('unauthorized', {})
  }
}

function nullIfMissing(error: unknown): null {
  if (error instanceof Problem && error.status === 404) return null
  throw error
}

/** Whether every record of the entity that the holder can have is in reach: it must follow from whose they are. */
function reachAllOf({ holder }: Guarded, { where }: Grant, entity: Resource, id: unknown): void {
  const by = Object.values(entity.relations).find(({ kind, to }) => kind === 'one' && to === holder?.name)?.by
  if (where.some(({ field }: Condition) => field !== by)) throw new Problem('unauthorized', {})
  if (by !== undefined && !holdsAll(entity, { [by]: id }, where)) throw notFound(holder!, id)
}

/** What is told of a record that was changed: what may be read of it, what was written, and its id. */
function answerTo(rights: Rights, of: Resource, row: Row, written: readonly string[]): Row {
  const reads = rights.of(of.name, 'find')
  const isSeen = reads !== null && holdsAll(of, row, reads.where)
  if (isSeen && reads.fields === null) return row
  return pick(row, new Set([...of.primaryKey, ...written, ...((isSeen && reads.fields) || [])]))
}

function notFound({ name }: Resource, id: unknown): Problem {
  return new Problem(`${name}_not_found` as ErrorCode & `${string}_not_found`, { id } as never)
}
