/** What a caller may do to the records of an entity, as REST, GraphQL and subscriptions ask for it. */
import { type Condition, Problem, type Right, type Scope } from '@posthorn/contract'
import type { KnownKey } from '../../tenant/caller.ts'

/** Leave to find, save or delete records of one entity, and its bounds. */
export interface Grant {
  /** Records that do not hold all of these are as if they were not there. */
  readonly where: readonly Condition[]
  /** Only these may be read, or written; null is all. */
  readonly fields: ReadonlySet<string> | null
}

/** The rights of somebody who may not do everything. */
export interface Rights {
  /** Null where there is no such right. */
  of(entity: string, right: Right): Grant | null
  /** What a save of the entity sets, whatever its input says: values of the caller's own metadata. */
  defaultsOf(entity: string): Readonly<Record<string, unknown>>
}

/** Whether the caller has the right at all: some records may still be out of reach. */
export function mayAct({ rights }: { readonly rights: Rights | null }, scope: Scope): boolean {
  if (rights === null) return true
  const [entity, right] = scope.split(':') as [string, Right]
  return rights.of(entity, right) !== null
}

/** How a caller is told that a right is missing: the holder of a key learns which. */
export function missing({ key }: { readonly key?: KnownKey | null }, scope: Scope): Problem {
  return key ? new Problem('scope_missing', { scope }) : new Problem('unauthorized', {})
}
