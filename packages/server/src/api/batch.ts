/**
 * Many inputs in one request: each is checked by itself, the handler gets those that are sound, and its results are
 * set back among the refusals, in the order that was asked.
 */
import {
  bodySchema,
  describeProblem,
  type ErrorCode,
  type OperationName,
  type Problem,
  type PutManyResult,
} from '@posthorn/contract'
import type { CallContext } from './handlers.ts'
import { objectToPayload, type Payload } from './payload.ts'
import { type Checker, checkerOf } from './validator.ts'

/** A handler that creates many. */
export type PutMany = (context: CallContext, input: object) => Promise<{ readonly results: PutManyResult[] }>

interface Batch {
  readonly given: readonly unknown[]
  /** What the input calls them. */
  readonly items: string
  readonly check: Checker
  readonly put: PutMany
  /** All of them or none. */
  readonly together: boolean
}

/** What checks one item of many. */
export function createItemCheck(operation: OperationName, maxBodyBytes: number): Checker {
  const check = checkerOf(bodySchema(operation)!)
  return (item, place) => check(item, place) ?? objectToPayload(item as Payload, maxBodyBytes, place)
}

export async function putEach(batch: Batch, context: CallContext): Promise<{ results: PutManyResult[] }> {
  const { given, items, check, put, together } = batch
  const refusals = given.map((item, i) => check(item, `body/${items}/${i}`))
  const refusal = together && refusals.find(found => found !== null)
  if (refusal) throw refusal
  const sound = given.filter((_, i) => refusals[i] === null)
  const stored = sound.length > 0 ? (await put(context, { [items]: sound, ...(together && { together }) })).results : []
  let next = 0
  return { results: refusals.map(refusal => (refusal ? refusedItem(refusal) : stored[next++]!)) }
}

/** A refusal as the result of one item of many. */
export function refusedItem(problem: Problem): PutManyResult {
  const error = describeProblem(problem) as { code: ErrorCode; status: number; message: string; details: object }
  return { result: 'error', id: null, error: error as PutManyResult['error'] & {} }
}
