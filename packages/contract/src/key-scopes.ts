/** What an API key may be given: the rights that operations take, by name. */
import { neededRights, type Scope } from './operation.ts'
import { operationEntries, resources } from './operations.ts'
import type { Resource } from './resource.ts'

const everything = '*'

/** Every scope, from the operations; those of the operator alone are none. */
export const keyScopes: readonly Scope[] = [
  ...new Set(operationEntries.flatMap(([, operation]) => neededRights(operation))),
].filter(scope => grantsOf(scope).keys)

/** All that may be written where scopes are given: one by one, all of a kind, all that are. */
export const scopeWords: readonly string[] = [
  everything,
  ...new Set(keyScopes.map(scope => `${scope.split(':')[0]}:*`)),
  ...keyScopes,
]

/** The scopes that a word stands for; none, if it is no such word. */
export function scopesIn(word: string): readonly Scope[] {
  if (word === everything) return keyScopes
  if (word.endsWith(':*')) return keyScopes.filter(scope => scope.startsWith(word.slice(0, -1)))
  return keyScopes.filter(scope => scope === word)
}

function grantsOf(scope: Scope): Resource['grants'] {
  return (resources as Readonly<Record<string, Resource>>)[scope.split(':')[0]!]!.grants
}
