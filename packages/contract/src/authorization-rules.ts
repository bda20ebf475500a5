/** What the rules of an `authorization` section may name: entities, fields, operators. */
import { ADMIN_ROLE, type Authorization, type AuthorizationRule, type RuleExtent } from './authorization.ts'
import { isNullable, scalarKind } from './list.ts'
import { nearest } from './nearest.ts'
import type { Right } from './operation.ts'
import { operationEntries, resources } from './operations.ts'
import type { Field, Resource } from './resource.ts'

/** What rules are for: the resources that operations have scopes of, but for those that no rule gives a right to. */
export const entities: readonly string[] = [
  ...new Set(operationEntries.map(([, { scope }]) => scope.split(':')[0]!)),
].filter(entity => resourceOf(entity).grants.rules)
export const rights = ['find', 'save', 'delete'] as const satisfies Right[]
export const everyEntity = '*'

/** Operators of checks: those that mean the same in the database and for a record at hand. */
export const checkOperators = ['eq', 'neq', 'gt', 'gte', 'lt', 'lte', 'in', 'nin'] as const
export type CheckOperator = (typeof checkOperators)[number]
const ORDERING: readonly string[] = ['gt', 'gte', 'lt', 'lte']

/** The entities that a rule is for. */
export function entitiesOf({ entity, entities: named = [] }: AuthorizationRule): readonly string[] {
  const all = entity === undefined ? named : [entity]
  return all.includes(everyEntity) ? entities : all
}

export function resourceOf(entity: string): Resource {
  return (resources as Readonly<Record<string, Resource>>)[entity]!
}

/** One sentence for each rule that cannot be meant. The section has passed its schema. */
export function ruleProblems({ rules = [], roleMergeStrategy }: Authorization, place: string): string[] {
  const seen = new Map<string, number>()
  return rules.flatMap((rule, i) => {
    const at = `${place}.rules[${i}]`
    const named = [...(rule.entity === undefined ? [] : [rule.entity]), ...(rule.entities ?? [])]
    if (rule.role === ADMIN_ROLE) return [`${at}.role: ${ADMIN_ROLE} may do everything, and no rule is for it`]
    if ((rule.entity === undefined) === (rule.entities === undefined))
      return [`${at} must have either entity or entities`]
    const strangers = named.flatMap(name => entityProblems(name, at))
    if (strangers.length > 0) return strangers
    const hidden =
      roleMergeStrategy === 'most-permissive' ? [] : named.flatMap(name => repeated(seen, rule.role, name, i))
    return [
      ...hidden.map(first => `${at} is never reached: rules[${first}] is for the same role and entity`),
      ...entitiesOf(rule).flatMap(entity => contentProblems(rule, resourceOf(entity), at)),
    ]
  })
}

function repeated(seen: Map<string, number>, role: string, entity: string, i: number): number[] {
  const key = JSON.stringify([role, entity])
  const first = seen.get(key)
  if (first === undefined) seen.set(key, i)
  return first === undefined ? [] : [first]
}

function entityProblems(name: string, place: string): string[] {
  if (name === everyEntity || entities.includes(name)) return []
  if (name === 'version') return [`${place}: version is the table of migrations, which nobody can reach`]
  return [`${place}: ${name} is no entity; the nearest is ${nearest(name, entities)}`]
}

function contentProblems(rule: AuthorizationRule, resource: Resource, place: string): string[] {
  return [
    ...rights.flatMap(right => extentProblems(rule[right], right, resource, `${place}.${right}`)),
    ...Object.keys(rule.defaults ?? {}).flatMap(name => defaultProblems(name, resource, `${place}.defaults.${name}`)),
  ]
}

function extentProblems(extent: RuleExtent | undefined, right: Right, resource: Resource, place: string): string[] {
  if (typeof extent !== 'object') return []
  const fields = extent.fields ?? []
  if (right === 'delete' && extent.fields) return [`${place}.fields is not supported: a record is deleted as a whole`]
  return [
    ...fields.flatMap(name => fieldProblems(name, resource, `${place}.fields`)),
    ...fields
      .filter(name => right === 'find' && resource.fields[name]?.access === 'write')
      .map(name => `${place}.fields: ${name} is never given out`),
    ...Object.entries(extent.checks ?? {}).flatMap(([name, check]) => {
      const at = `${place}.checks.${name}`
      const operators = typeof check === 'object' && !Array.isArray(check) ? Object.keys(check) : ['eq']
      return fieldProblems(name, resource, at, checkable(resource.fields[name], name, operators, at))
    }),
  ]
}

function fieldProblems(name: string, { name: of, fields }: Resource, place: string, further: string[] = []): string[] {
  if (Object.hasOwn(fields, name)) return further
  return [`${place}: ${of} has no field ${name}; the nearest is ${nearest(name, Object.keys(fields))}`]
}

function checkable(field: Field | undefined, name: string, operators: readonly string[], place: string): string[] {
  if (!field) return []
  if (!field.filter) return [`${place}: lists do not filter by ${name}`]
  return operators.flatMap(op => {
    if (!(checkOperators as readonly string[]).includes(op)) {
      return [`${place}.${op} is not supported: checks compare with ${checkOperators.join(', ')}`]
    }
    const orderly = scalarKind(field.type) === 'integer' || scalarKind(field.type) === 'timestamp'
    return ORDERING.includes(op) && !orderly
      ? [`${place}.${op} is not supported: ${name} is no number and no time`]
      : []
  })
}

function defaultProblems(name: string, resource: Resource, place: string): string[] {
  const field = Object.hasOwn(resource.fields, name) ? resource.fields[name]! : null
  if (!field) return fieldProblems(name, resource, place)
  const type: unknown = isNullable(field.input) ? field.input.type[0] : field.input.type
  const scalar = type === 'string' || type === 'integer' || type === 'boolean'
  if (field.access === 'read' || !scalar) return [`${place}: ${name} cannot be set from the user’s metadata`]
  return []
}
