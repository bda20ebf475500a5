/**
 * What may be changed of a function's queue by those who may change queues: how it sends (retries, limits, order, how long history
 * is kept), and nothing of where it sends, which its backend says. It comes and goes with the function.
 */
import { Problem, type QueueUpdate } from '@posthorn/contract'
import type { Executor, Statement } from '../db/port.ts'

const FIXED = ['name', 'callbackUrl', 'method', 'headers', 'followRedirects', 'onGone', 'secrets'] as const
type Fixed = (typeof FIXED)[number]

const OF_FUNCTIONS: Statement = {
  name: 'queues_of_functions',
  text: `SELECT id, function, jsonb_build_object('name', name, 'callbackUrl', callback_url, 'method', method,
      'headers', headers, 'followRedirects', follow_redirects, 'onGone', on_gone,
      'secrets', secrets) AS fixed
    FROM posthorn.queue WHERE org_id = $1::int AND id = ANY ($2::int[]) AND deleted_at IS NULL AND function IS NOT NULL`,
}

interface FunctionQueue {
  readonly id: number
  readonly function: string
  readonly fixed: Readonly<Record<Fixed, unknown>>
}

/** What is given as it is already, as by a form that gives back every field, is no change. @throws Problem queue_of_function */
export async function checkFunctionQueues(
  db: Executor,
  orgId: number,
  ids: readonly number[],
  patch: QueueUpdate,
): Promise<void> {
  const given = FIXED.filter(field => patch[field] !== undefined)
  if (given.length === 0) return
  for (const queue of await db.query<FunctionQueue>(OF_FUNCTIONS, [orgId, ids])) {
    const field = given.find(name => JSON.stringify(storedOf(patch, name)) !== JSON.stringify(queue.fixed[name]))
    if (field === undefined) continue
    throw new Problem('queue_of_function', {
      id: queue.id,
      function: queue.function,
      what: `keeps its ${field}`,
      field,
    })
  }
}

/** @throws Problem queue_of_function */
export async function checkDeletable(db: Executor, orgId: number, id: number): Promise<void> {
  const [queue] = await db.query<FunctionQueue>(OF_FUNCTIONS, [orgId, [id]])
  if (queue) throw new Problem('queue_of_function', { id, function: queue.function, what: 'cannot be deleted' })
}

const storedOf = (patch: QueueUpdate, field: Fixed): unknown =>
  field === 'method' ? patch.method?.toUpperCase() : patch[field]
