/**
 * The queues of orgs' functions: `org.<name>.<function>`, whose messages a worker gives to a service.
 *
 * One that is detached takes no new messages, delivers nothing and keeps what waits. Every change is noted, so that each
 * node takes it on within a second.
 */
import type { Executor } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'

const START = loadStatement(import.meta.url, './sql/start_function_queue.sql')
const MAKE = loadStatement(import.meta.url, './sql/make_function_queue.sql')
const DETACH = loadStatement(import.meta.url, './sql/detach_function_queue.sql')
const RESTART = loadStatement(import.meta.url, './sql/restart_function_queues.sql')

/** As many as the largest batch that a service takes, and as many again while those are under way. */
const CONCURRENCY = 100
const MAX_RETRIES = 10
const TIMEOUT_MS = 60_000
const BACKOFF = { startMs: 5_000, factor: 3, maxMs: 3_600_000, jitter: 0.2 }
const BREAKER = { failures: 10, probeMs: 1_000, maxProbeMs: 60_000 }

/** Opens the queue of a function to new messages, and makes it the first time; a worker that runs starts anew. */
export async function attachFunctionQueue(tx: Executor, orgId: number, orgName: string, work: string): Promise<void> {
  const started = await tx.query(START, [orgId, work])
  if (started.length > 0) return
  const name = `org.${orgName}.${work}`
  await tx.query(MAKE, [orgId, work, name, MAX_RETRIES, BACKOFF, TIMEOUT_MS, CONCURRENCY, BREAKER])
}

/** Stops its delivery on every node within a second, and closes it to new messages; what waits stays. */
export async function detachFunctionQueue(tx: Executor, orgId: number, work: string): Promise<void> {
  await tx.query(DETACH, [orgId, work])
}

/** The workers of these orgs start anew, as far as their queues are attached. */
export async function restartFunctionQueues(tx: Executor, orgIds: readonly number[], work: string): Promise<void> {
  await tx.query(RESTART, [orgIds, work])
}
