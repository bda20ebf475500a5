/** From the input of a client's method to what a request with it would have brought. */
import { inputParts, type Operation, Problem } from '@posthorn/contract'
import type { Brought } from '../api/input.ts'
import { copyOf } from './copy.ts'

type Values = Readonly<Record<string, unknown>>
type Bring = (input: unknown) => Brought

const NOTHING = Object.freeze({})

/** @param limit most characters of what is given. The function throws Problem */
export function bringer(operation: Operation, limit: number): Bring {
  const { verb, list, each } = operation
  const { path } = inputParts(operation)
  const inBody = !list && (verb === 'POST' || verb === 'PUT')
  if (inBody && !each && path.length === 0)
    return input => bring(NOTHING, NOTHING, copyOf(asObject(input), budgetOf(limit)))
  const named = new Set(path.map(part => part.input))
  return input => {
    const given = asObject(input)
    const params: Record<string, string> = {}
    for (const { input: name, wire } of path) {
      const value = given[name]
      if (value !== undefined && value !== null) params[wire] = String(value)
    }
    const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !named.has(name)))
    if (!inBody) return bring(params, queryOf(rest), undefined)
    const { where, ...patch } = rest
    if (each) return bring(params, queryOf({ where }), copyOf(patch, budgetOf(limit)))
    return bring(params, NOTHING, copyOf(rest, budgetOf(limit)))
  }
}

const bring = (params: unknown, query: unknown, body: unknown): Brought => ({ params, query, headers: NOTHING, body })

const budgetOf = (limit: number) => ({ left: limit, limit })

function asObject(input: unknown): Values {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Values
  throw new Problem('validation_failed', { problem: 'body must be object', field: 'body', rule: 'type' })
}

/** As the client of @posthorn/client writes it into a URL. */
function queryOf({ where, orderBy, ...plain }: Values): Values {
  const query: Record<string, string> = {}
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) query[name] = String(value)
  for (const [field, comparison] of Object.entries(where ?? {})) {
    for (const [op, value] of Object.entries(comparison ?? {})) {
      if (value !== undefined) query[`where.${field}.${op}`] = String(value)
    }
  }
  for (const [field, direction] of pairsOf(orderBy)) query[`orderby.${field}`] = direction
  return query
}

function pairsOf(orderBy: unknown): readonly [string, string][] {
  if (orderBy === undefined || orderBy === null) return []
  if (Array.isArray(orderBy) && orderBy.every(Array.isArray)) return orderBy as [string, string][]
  throw new Problem('validation_failed', { problem: 'orderBy must be a list of [field, direction]', field: 'orderBy' })
}
