/** Workers for their operator: what runs, and starting and stopping them. A worker is stopped as its queue is paused. */
import { type Page, Problem, type Worker } from '@posthorn/contract'
import type { Database, Param, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { type AnyQuery, type ById, findById, listPage } from '../list/page.ts'
import type { BackendCaller } from './reach.ts'
import { workerSource } from './worker-source.ts'

export interface WorkersOptions {
  readonly db: Database
  readonly instanceOrgId: number
  readonly shardCount: number
  readonly listLimitMs: number
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
}

const STOP = loadStatement(import.meta.url, './sql/stop_worker.sql')
const START = loadStatement(import.meta.url, './sql/start_worker.sql')

export type Workers = ReturnType<typeof createWorkers>

/** The operations on workers, as the contract has them: those of the caller's org. */
export function createWorkers(room: WorkersOptions) {
  const sourceFor = ({ orgId }: BackendCaller) => workerSource(orgId, room.instanceOrgId, room.shardCount)
  /** @throws Problem worker_not_found */
  const get = async (caller: BackendCaller, { id }: ById): Promise<Worker> => {
    const found = await findById(room.db, sourceFor(caller), id)
    if (!found) throw new Problem('worker_not_found', { id })
    return found
  }
  const act = async (caller: BackendCaller, { id }: ById, statement: Statement, ...more: Param[]): Promise<Worker> => {
    await get(caller, { id })
    await room.db.query(statement, [id, ...more])
    room.changed()
    return get(caller, { id })
  }
  return {
    list: (caller: BackendCaller, query: AnyQuery): Promise<Page<Worker>> =>
      listPage(room.db, sourceFor(caller), query, room.listLimitMs),
    get,
    start: (caller: BackendCaller, input: ById) => act(caller, input, START, false),
    stop: (caller: BackendCaller, input: ById) => act(caller, input, STOP),
    restart: (caller: BackendCaller, input: ById) => act(caller, input, START, true),
  }
}
