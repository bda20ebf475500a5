import { type Condition, type ServiceFunction, type ServiceName, type Worker, worker } from '@posthorn/contract'
import { type Columns, column } from '../list/filter.ts'
import type { ListSource } from '../list/page.ts'

const columns: Columns = {
  id: column('q.id', 'int8'),
  orgName: column('o.name', 'text'),
  function: column('q.function', 'text'),
}
/** How many are counted at most: the number is for people. */
const COUNTED = 10_000
const hidden: Columns = {
  queueName: column('q.name::text', 'text'),
  attachedAt: column('q.attached_at', 'timestamptz', { nullable: true }),
  pausedAt: column('q.paused_at', 'timestamptz', { nullable: true }),
  service: column('s.name', 'text', { nullable: true }),
  serviceId: column('s.id', 'int8', { nullable: true }),
  system: column('(b.org_id IS NOT NULL AND b.service_id IS NULL)', 'bool'),
  owner: column('d.owner', 'text', { nullable: true }),
  node: column('w.node', 'text', { nullable: true }),
  waiting: column(
    `(SELECT count(*)::int FROM (SELECT FROM posthorn.message AS m WHERE m.queue_id = q.id LIMIT ${COUNTED}) AS m)`,
    'int8',
  ),
  inFlight: column('w.in_flight', 'int8', { nullable: true }),
  lastError: column('w.last_error', 'text', { nullable: true }),
  lastErrorAt: column('w.last_error_at', 'timestamptz', { nullable: true }),
}

/** The workers of one org. */
export function workerSource(orgId: number, instanceOrgId: number, shardCount: number): ListSource<Worker> {
  return {
    resource: worker,
    branches: [
      {
        from: `posthorn.queue AS q JOIN posthorn.org AS o ON o.id = q.org_id
          LEFT JOIN posthorn.shard AS d ON d.id = q.id % ${shardCount}
          LEFT JOIN posthorn.backend AS b ON b.org_id = q.org_id AND b.function = q.function
          LEFT JOIN posthorn.backend AS i ON b.service_id IS NULL AND i.org_id = ${instanceOrgId} AND i.function = b.function
          LEFT JOIN posthorn.service AS s ON s.id = coalesce(b.service_id, i.service_id)
          LEFT JOIN posthorn.worker AS w ON w.org_id = q.org_id AND w.queue_id = q.id`,
        columns,
        hidden,
        scope: params =>
          `q.org_id = ${params.add(orgId, 'int4')} AND q.function IS NOT NULL AND q.deleted_at IS NULL AND o.deleted_at IS NULL`,
      },
    ],
    supplement: null,
    serves: ({ op }: Condition) => op !== 'like' && op !== 'ilike',
    sorts: new Set(['id', 'orgName', 'function']),
    decode: row => decodeWorker(row as unknown as WorkerRow),
  }
}

interface WorkerRow
  extends Pick<Worker, 'id' | 'orgName' | 'queueName' | 'serviceId' | 'system' | 'waiting' | 'lastError'> {
  readonly function: string
  readonly attachedAt: Date | null
  readonly pausedAt: Date | null
  readonly service: string | null
  /** Who has the shard of its queue: the node that runs it, if it runs. */
  readonly owner: string | null
  /** Who said last how it does. */
  readonly node: string | null
  readonly inFlight: number | null
  readonly lastErrorAt: Date | null
}

function decodeWorker(row: WorkerRow): Worker {
  const { attachedAt, pausedAt } = row
  const state = attachedAt === null ? 'detached' : pausedAt === null ? 'running' : 'stopped'
  const runs = state === 'running'
  return {
    id: row.id,
    orgName: row.orgName,
    function: row.function as ServiceFunction,
    queueName: row.queueName,
    state,
    service: row.service as ServiceName | null,
    serviceId: row.serviceId,
    system: row.system,
    node: runs ? row.owner : null,
    since: runs ? attachedAt!.toISOString() : null,
    waiting: row.waiting,
    inFlight: row.owner !== null && row.owner === row.node ? (row.inFlight ?? 0) : 0,
    lastError: row.lastError,
    lastErrorAt: row.lastErrorAt?.toISOString() ?? null,
  }
}
