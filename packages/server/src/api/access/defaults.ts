/** What rules set in whatever a caller saves: values of the caller's own metadata, which no input can say otherwise. */
import { type Operation, type OperationName, operations, Problem, type Resource, resourceOf } from '@posthorn/contract'
import type { CallContext } from '../handlers.ts'
import type { Rights } from './rights.ts'

type Values = Readonly<Record<string, unknown>>

/** Those of a resource that stand among `properties`. @throws Problem unauthorized where the metadata lacks one */
export function defaultsFor(rights: Rights, { name }: Resource, properties: Values): Values {
  const defaults = Object.entries(rights.defaultsOf(name)).filter(([field]) => field in properties)
  if (defaults.some(([, value]) => value === undefined)) throw new Problem('unauthorized', {})
  return Object.fromEntries(defaults)
}

/**
 * Sets them before the input is checked against its schema, so that they need not be given and are checked as if they
 * were. What the path names must agree: nothing goes elsewhere than where it was sent.
 * @throws Problem unauthorized
 */
export function fillDefaults(context: CallContext, name: OperationName, input: object, path: Values = {}): void {
  if (context.rights === null) return
  const { scope, input: schema, pathNames, of, batch }: Operation = operations[name]
  const [entity = '', right] = scope.split(':')
  if (right !== 'save' || of?.name !== entity || batch) return
  const defaults = defaultsFor(context.rights, resourceOf(entity), schema.properties)
  for (const [wire, field] of Object.entries(pathNames)) {
    if (field in defaults && String(path[wire]) !== String(defaults[field])) throw new Problem('unauthorized', {})
  }
  const named = Object.values(pathNames)
  Object.assign(input, Object.fromEntries(Object.entries(defaults).filter(([field]) => !named.includes(field))))
}
