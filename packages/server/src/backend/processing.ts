/**
 * What an org uses its services for: a backend for each function, its own service, or SYSTEM.
 *
 * Attaching and detaching lock the org's row and, in the same commit, open or close the function's queue with the note
 * that makes every node look. SYSTEM stands for what the instance org uses when a message is sent, so nothing of the
 * orgs that borrow is written when that changes, but for starting afresh those that an old service had asked to rest.
 */
import {
  type BackendField,
  backendFieldOf,
  type ErrorDetails,
  Problem,
  type ProcessingRow,
  type ProcessingUpdate,
  type ServiceFunction,
  SYSTEM,
  serviceFunctions,
} from '@posthorn/contract'
import type { Database, Executor, Statement } from '../db/port.ts'
import { attachFunctionQueue, detachFunctionQueue, restartFunctionQueues } from '../queue/function-queues.ts'
import type { ServiceType } from '../services/port.ts'
import { lockOrg } from '../tenant/lock-org.ts'
import { hasQueue } from './functions.ts'
import type { BackendCaller, Reach, ReachedOrg } from './reach.ts'

export interface ProcessingOptions {
  readonly db: Database
  readonly types: readonly ServiceType[]
  readonly instanceOrgId: number
  readonly reach: Reach
  /** Called after the commit of whatever other nodes must hear of; must not throw. */
  readonly changed: () => void
}

interface Candidate {
  readonly id: number
  readonly name: string
}

const READ: Statement = {
  name: 'processing_read',
  text: `SELECT b.function, b.service_id, s.name FROM posthorn.backend AS b
    LEFT JOIN posthorn.service AS s ON s.org_id = b.org_id AND s.id = b.service_id WHERE b.org_id = $1::int`,
}
const BY_NAME: Statement = {
  name: 'processing_service_by_name',
  text: 'SELECT id, name FROM posthorn.service WHERE org_id = $1::int AND name = $2::text ORDER BY id DESC LIMIT 1',
}
const BY_ID: Statement = {
  name: 'processing_service_by_id',
  text: 'SELECT id, name FROM posthorn.service WHERE org_id = $1::int AND id = $2::int',
}
const SAVE: Statement = {
  name: 'backend_save',
  text: `INSERT INTO posthorn.backend (org_id, function, service_id) VALUES ($1::int, $2::text, $3::int)
    ON CONFLICT (org_id, function) DO UPDATE SET service_id = excluded.service_id, attached_at = now()`,
}
const REMOVE: Statement = {
  name: 'backend_remove',
  text: 'DELETE FROM posthorn.backend WHERE org_id = $1::int AND function = $2::text',
}
const BORROWERS: Statement = {
  name: 'backend_borrowers',
  text: 'SELECT org_id FROM posthorn.backend WHERE function = $1::text AND service_id IS NULL',
}
const SET_FROM: Statement = {
  name: 'org_set_email_from',
  text: 'UPDATE posthorn.org SET email_from = $2::text, updated_at = now() WHERE id = $1::int',
}
const ADDRESS = /^[^\s<>()[\],;:"\\@]+@[^\s<>()[\],;:"\\@]+$/u
const MAX_ID = 2 ** 31 - 1

export type Processing = ReturnType<typeof createProcessing>

/** The operations on what an org uses, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createProcessing(room: ProcessingOptions) {
  const { db, reach } = room
  return {
    get: async (caller: BackendCaller, input: { readonly orgName?: string }): Promise<ProcessingRow> =>
      readProcessing(db, await reach(caller, input.orgName)),
    async update(caller: BackendCaller, input: ProcessingUpdate): Promise<ProcessingRow> {
      const org = await reach(caller, input.orgName)
      if (input.emailFrom != null && !ADDRESS.test(input.emailFrom)) {
        const problem = 'body/emailFrom must be an email address: name@domain'
        throw new Problem('validation_failed', { problem, field: 'body/emailFrom' })
      }
      await db.transaction(tx => assign(tx, room, org, input))
      room.changed()
      return readProcessing(db, await reach(caller, input.orgName))
    },
  }
}

async function readProcessing(db: Executor, { id, name, emailFrom }: ReachedOrg): Promise<ProcessingRow> {
  const rows = await db.query<{ function: string; service_id: number | null; name: string | null }>(READ, [id])
  const backends = serviceFunctions.map(work => {
    const row = rows.find(one => one.function === work)
    return [backendFieldOf(work), row ? (row.name ?? SYSTEM) : null]
  })
  return { orgName: name, emailFrom, ...(Object.fromEntries(backends) as Record<BackendField, string | null>) }
}

async function assign(tx: Executor, room: ProcessingOptions, org: ReachedOrg, input: ProcessingUpdate): Promise<void> {
  await lockOrg(tx, org.id)
  if (input.emailFrom !== undefined) await tx.query(SET_FROM, [org.id, input.emailFrom])
  for (const work of serviceFunctions) {
    const wanted = input[backendFieldOf(work)]
    if (wanted === undefined) continue
    if (wanted === null || wanted === '') await detach(tx, org, work)
    else await attach(tx, room, org, work, wanted)
    if (org.id === room.instanceOrgId && hasQueue(work)) await restartBorrowers(tx, work)
  }
}

async function detach(tx: Executor, org: ReachedOrg, work: ServiceFunction): Promise<void> {
  await tx.query(REMOVE, [org.id, work])
  if (hasQueue(work)) await detachFunctionQueue(tx, org.id, work)
}

/** @throws Problem backend_unknown, backend_unfit, backend_circle, backend_system_missing */
async function attach(
  tx: Executor,
  room: ProcessingOptions,
  org: ReachedOrg,
  work: ServiceFunction,
  wanted: string,
): Promise<void> {
  const isSystem = wanted.toUpperCase() === SYSTEM
  if (isSystem) await checkSystem(tx, room, org, work)
  const serviceId = isSystem ? null : await findFit(tx, room, org, work, wanted)
  await tx.query(SAVE, [org.id, work, serviceId])
  if (hasQueue(work)) await attachFunctionQueue(tx, org.id, org.name, work)
}

async function checkSystem(
  tx: Executor,
  { instanceOrgId }: ProcessingOptions,
  org: ReachedOrg,
  work: ServiceFunction,
): Promise<void> {
  const field = backendFieldOf(work)
  if (org.id === instanceOrgId) throw new Problem('backend_circle', { field, org: org.name })
  const rows = await tx.query<{ function: string }>(READ, [instanceOrgId])
  if (rows.some(row => row.function === work)) return
  const [instance] = await tx.query<{ name: string }>(NAME, [instanceOrgId])
  throw new Problem('backend_system_missing', { field, instance: instance?.name ?? '', function: work })
}
const NAME: Statement = { name: 'processing_org_name', text: 'SELECT name FROM posthorn.org WHERE id = $1::int' }

async function findFit(
  tx: Executor,
  { types }: ProcessingOptions,
  org: ReachedOrg,
  work: ServiceFunction,
  wanted: string,
): Promise<number> {
  const field = backendFieldOf(work)
  const fitting = types.filter(({ functions }) => functions.includes(work)).map(({ name }) => name)
  const unfit = (service: string): Problem => {
    const details: ErrorDetails<'backend_unfit'> = { field, service, function: work, fit: fitting.join(', ') }
    return new Problem('backend_unfit', details)
  }
  const isId = /^\d{1,10}$/.test(wanted) && Number(wanted) <= MAX_ID
  // A name that can never serve is worth saying before whether there is one.
  if (!isId && types.some(({ name }) => name === wanted) && !fitting.includes(wanted)) throw unfit(wanted)
  const [found] = await tx.query<Candidate>(isId ? BY_ID : BY_NAME, [org.id, isId ? Number(wanted) : wanted])
  if (!found) throw new Problem('backend_unknown', { field, org: org.name, service: wanted })
  if (!fitting.includes(found.name)) throw unfit(found.name)
  return found.id
}

async function restartBorrowers(tx: Executor, work: ServiceFunction): Promise<void> {
  const borrowers = await tx.query<{ org_id: number }>(BORROWERS, [work])
  const ids = borrowers.map(({ org_id }) => org_id)
  if (ids.length > 0) await restartFunctionQueues(tx, ids, work)
}
