/** Handlers that say which record they saved or deleted, once they have. */
import { type Operation, type OperationName, operations, type Resource, resourceOf } from '@posthorn/contract'
import type { Tenants } from './access/tenants.ts'
import type { Change, Changes } from './changes.ts'
import type { AnyHandler, CallContext, Handlers } from './handlers.ts'

/**
 * The same handlers, publishing what they write. What an act does to many records whose ids it does not give (a purge, a
 * redrive of a whole queue) is not told one by one.
 */
export function publishWrites(handlers: Handlers, changes: Changes, findOrg: Tenants['findOrg']): Handlers {
  const told = Object.entries(handlers as unknown as Record<string, AnyHandler>).map(([name, handle]) => {
    const operation: Operation = operations[name as OperationName]
    const read = readerOf(operation)
    if (!read) return [name, handle]
    const publish = (orgId: number, input: unknown, output: unknown): void => {
      if (!changes.isAwaited) return
      for (const written of read(input, output)) changes.publish({ orgId, ...written })
    }
    const call: AnyHandler = (context, input) =>
      handle(context, input).then(output => {
        publish(context.orgId, input, output)
        return output
      })
    if (!('orgName' in operation.input.properties)) return [name, call]
    const callFor: AnyHandler = async (context, input) => {
      const output = await handle(context, input)
      const orgId = await actedFor(context, input, findOrg)
      if (orgId !== null) publish(orgId, input, output)
      return output
    }
    return [name, callFor]
  })
  return Object.fromEntries(told)
}

/** Whose records an operation that names an org has written; null if that org is gone, or cannot be asked for: nobody is told. */
async function actedFor(
  { orgId }: CallContext,
  { orgName }: { readonly orgName?: string },
  findOrg: Tenants['findOrg'],
): Promise<number | null> {
  if (orgName === undefined) return orgId
  try {
    return (await findOrg(orgName))?.id ?? null
  } catch {
    return null
  }
}

type Written = Omit<Change, 'orgId'>
type Reader = (input: unknown, output: unknown) => readonly Written[]

interface WithId {
  readonly id: number
}

/** What an operation wrote, as its input and output tell; null for one that writes no record of its own. */
function readerOf(operation: Operation): Reader | null {
  const [entity = '', right] = operation.scope.split(':')
  const resource = resourceOf(entity).name
  if (right === 'find') return null
  if (operation.batch) {
    return (_, output) =>
      (output as { results: readonly { result: string; id: number | null }[] }).results.flatMap(({ result, id }) =>
        result === 'stored' && id !== null ? [{ resource, act: 'saved' as const, id }] : [],
      )
  }
  if (!operation.of)
    return operation.scope === 'message:save'
      ? (_, output) => idsIn(output as object).map(saved => ({ resource, act: 'saved', id: saved }))
      : null
  if (operation.verb === 'DELETE') return (_, output) => [{ resource, act: 'deleted', id: (output as WithId).id }]
  const saved: Resource = operation.of
  if (operation.each) return (_, output) => (output as WithId[]).map(({ id }) => ({ resource, act: 'saved', id }))
  return (_, output) => [{ resource: saved.name, act: 'saved', id: (output as WithId).id }]
}

/** What consumers did to messages: the lists of ids, or of messages, that an act gives, but for those that it did not reach. */
function idsIn(output: object): number[] {
  const lists = Object.entries(output).filter(([name, value]) => name !== 'lost' && Array.isArray(value))
  return lists.flatMap(([, list]: [string, (number | WithId)[]]) =>
    list.map(one => (typeof one === 'number' ? one : one.id)),
  )
}
