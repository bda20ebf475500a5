/** The rules of the `authorization` section, and the rights that roles have by them. */
import {
  ADMIN_ROLE,
  type Authorization,
  type AuthorizationRule,
  entities,
  entitiesOf,
  everyEntity,
  type Right,
  type RuleExtent,
  resourceOf,
} from '@posthorn/contract'
import { conditionsOf, type Metadata, toScalar } from './checks.ts'
import type { Grant, Rights } from './rights.ts'

/** By entity, in the order in which they stand in the section. */
export type Rules = ReadonlyMap<string, readonly AuthorizationRule[]>

/** @param withAdmin whether there is an admin whom a token may make one of */
export function readRules({ rules = [] }: Authorization, withAdmin: boolean): Rules {
  const all = withAdmin ? [...rules, ADMIN_RULE] : rules
  return new Map(entities.map(entity => [entity, all.filter(rule => entitiesOf(rule).includes(entity))]))
}

const ADMIN_RULE: AuthorizationRule = { role: ADMIN_ROLE, entity: everyEntity, find: true, save: true, delete: true }

export interface RoleChoice {
  readonly rules: Rules
  /** Of several rules: the first alone, or for every right the first that has it. */
  readonly merge: 'first-match' | 'most-permissive'
}

/** The rights of a caller in these roles; null if there are none at all. */
export function rightsOf({ rules, merge }: RoleChoice, roles: readonly string[], metadata: Metadata): Rights | null {
  const own = new Map<string, readonly AuthorizationRule[]>()
  for (const [entity, all] of rules) {
    const matching = all.filter(({ role }) => roles.includes(role))
    const lesser = matching.filter(({ role }) => role !== ADMIN_ROLE)
    own.set(entity, merge === 'first-match' ? matching.slice(0, 1) : lesser.length > 0 ? lesser : matching)
  }
  const may = (rule: AuthorizationRule): boolean => !!(rule.find || rule.save || rule.delete)
  if (![...own.values()].some(found => found.some(may))) return null
  return {
    of(entity, right) {
      const extent = own.get(entity)?.find(rule => rule[right])?.[right]
      return extent ? grantOf(extent, entity, right, metadata) : null
    },
    defaultsOf(entity) {
      const defaults = own.get(entity)?.find(rule => rule.defaults)?.defaults ?? {}
      const { fields } = resourceOf(entity)
      return Object.fromEntries(
        Object.entries(defaults).map(([name, key]) => [name, toScalar({ type: fields[name]!.input }, metadata(key))]),
      )
    },
  }
}

function grantOf(extent: Exclude<RuleExtent, false>, entity: string, right: Right, metadata: Metadata): Grant {
  if (extent === true) return EVERYTHING
  const { checks = {}, fields } = extent
  return {
    where: conditionsOf(checks, resourceOf(entity), metadata),
    fields: fields && right !== 'delete' ? new Set(fields) : null,
  }
}

const EVERYTHING: Grant = { where: [], fields: null }
