/** Copies of what a program gives and gets, as if it had gone through JSON: nobody else's objects are kept or changed. */
import { Problem } from '@posthorn/contract'

/** Nothing that means anything is deeper, and what contains itself is. */
const DEEPEST = 200

/** Characters that may still come. */
export interface Budget {
  left: number
  readonly limit: number
}

/** @throws Problem for what no JSON can say, and body_too_large beyond the budget */
export function copyOf(value: unknown, budget: Budget, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      spend(budget, value.length)
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'object':
      return value === null ? null : copyObject(value, budget, depth + 1)
    case 'bigint':
      throw refusal('must not contain a bigint: JSON has none')
    case 'function':
    case 'symbol':
      return undefined
    default:
      return value
  }
}

function copyObject(value: object, budget: Budget, depth: number): unknown {
  if (depth > DEEPEST) throw refusal(`must not be more than ${DEEPEST} deep, nor contain itself`)
  if (Array.isArray(value)) return copyArray(value, budget, depth)
  // Bytes are text in JSON, as base64: whoever checks the field says so.
  if (ArrayBuffer.isView(value)) return value
  if (typeof (value as Partial<Date>).toJSON === 'function') return copyOf((value as Date).toJSON(), budget, depth)
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw refusal('must not have a property __proto__')
    const own = copyOf((value as Record<string, unknown>)[name], budget, depth)
    if (own === undefined) continue
    spend(budget, name.length)
    copy[name] = own
  }
  return copy
}

function copyArray(items: readonly unknown[], budget: Budget, depth: number): unknown[] {
  spend(budget, items.length)
  const copies: unknown[] = []
  for (const item of items) copies.push(copyOf(item, budget, depth) ?? null)
  return copies
}

function spend(budget: Budget, count: number): void {
  budget.left -= count
  if (budget.left < 0) throw new Problem('body_too_large', { limit: budget.limit })
}

const refusal = (rule: string): Problem => new Problem('validation_failed', { problem: `body ${rule}`, field: 'body' })
