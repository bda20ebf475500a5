/**
 * Services: the records of an org's credentials.
 *
 * A password goes in and never comes out. What a service is complete with is its type's own affair, judged with
 * everything that the record will have: so a change of one field that leaves the others unfit is refused, and nothing is
 * stored by half.
 */
import { type Page, Problem, type Service, type ServiceCreate } from '@posthorn/contract'
import type { Database, Executor, Statement } from '../db/port.ts'
import { DatabaseError } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import { type AnyQuery, type ById, findById, listPage } from '../list/page.ts'
import { CREDENTIAL_FIELDS, type Credentials, readCredentials } from '../services/credentials.ts'
import { FaultError } from '../services/faults.ts'
import type { ServiceType } from '../services/port.ts'
import { lockOrg } from '../tenant/lock-org.ts'
import { servicePasswordPlace } from '../tenant/sealed-columns.ts'
import type { SecretBox } from '../tenant/secret-box.ts'
import type { BackendCaller, Reach } from './reach.ts'
import { serviceSource } from './service-source.ts'
import { holdService, openCredentials, type StoredService } from './stored-service.ts'

export interface ServicesOptions {
  readonly db: Database
  readonly secrets: SecretBox
  /** Every service there is. */
  readonly types: readonly ServiceType[]
  readonly reach: Reach
  readonly listLimitMs: number
}

export type UpsertService = ServiceCreate & { readonly orgName?: string; readonly id?: number }

const LATEST: Statement = {
  name: 'service_latest',
  text: 'SELECT id FROM posthorn.service WHERE org_id = $1::int AND name = $2::text ORDER BY id DESC LIMIT 1',
}
const DRAW: Statement = {
  name: 'service_draw_id',
  text: `SELECT nextval(pg_get_serial_sequence('posthorn.service', 'id'))::int AS id`,
}
const SAVE = loadStatement(import.meta.url, './sql/save_service.sql')
const DELETE: Statement = {
  name: 'service_delete',
  text: 'DELETE FROM posthorn.service WHERE org_id = $1::int AND id = $2::int RETURNING id',
}

export type Services = ReturnType<typeof createServices>

/** The records of services, as the contract has them. All throw Problems of the catalogue, and DatabaseError. */
export function createServices(room: ServicesOptions) {
  return {
    list: ({ orgId }: BackendCaller, query: AnyQuery): Promise<Page<Service>> =>
      listPage(room.db, serviceSource(orgId), query, room.listLimitMs),
    get: ({ orgId }: BackendCaller, { id }: ById) => getService(room, orgId, id),
    upsert: (caller: BackendCaller, input: UpsertService) => upsertService(room, caller, input),
    delete: (caller: BackendCaller, { id }: ById) => deleteService(room, caller, id),
  }
}

async function getService(room: ServicesOptions, orgId: number, id: number): Promise<Service> {
  const found = await findById(room.db, serviceSource(orgId), id)
  if (!found) throw new Problem('service_not_found', { id })
  return found
}

async function upsertService(room: ServicesOptions, caller: BackendCaller, input: UpsertService): Promise<Service> {
  const org = await room.reach(caller, input.orgName)
  const id = await room.db.transaction(async tx => {
    // Two first upserts of one name at once make one service, not two.
    await lockOrg(tx, org.id)
    const before = await findToChange(tx, org.id, input)
    return saveService(tx, room, org.id, before, input)
  })
  return getService(room, org.id, id)
}

/** @throws Problem service_not_found, service_name_fixed */
async function findToChange(tx: Executor, orgId: number, input: UpsertService): Promise<StoredService | undefined> {
  if (input.id === undefined) {
    const [latest] = await tx.query<ById>(LATEST, [orgId, input.name])
    return latest && holdService(tx, orgId, latest.id)
  }
  const found = await holdService(tx, orgId, input.id)
  if (!found) throw new Problem('service_not_found', { id: input.id })
  if (found.name !== input.name) throw new Problem('service_name_fixed', { id: found.id, name: found.name })
  return found
}

async function saveService(
  tx: Executor,
  { secrets, types }: ServicesOptions,
  orgId: number,
  before: StoredService | undefined,
  input: UpsertService,
): Promise<number> {
  const known = before ? knownOf(before, input, secrets) : { host: null, user: null, password: null, path: null }
  const whole = Object.fromEntries(
    CREDENTIAL_FIELDS.map(field => [field, (input[field] === undefined ? known[field] : input[field]) || null]),
  ) as unknown as Credentials
  const type = types.find(({ name }) => name === input.name)!
  const read = readCredentials(type.credentials, whole)
  if (!read.ok) throw problemOf(read.problems)
  const id = before?.id ?? (await tx.query<ById>(DRAW))[0]!.id
  const { host, user, password, path } = whole
  const sealed = password === null ? null : secrets.seal(password, servicePasswordPlace(id))
  await tx.query(SAVE, [orgId, id, input.name, host, user, sealed, path])
  return id
}

/** What is not given anew stays; so a password that cannot be opened any more can still be replaced. @throws Problem service_invalid */
function knownOf(before: StoredService, { password }: UpsertService, secrets: SecretBox): Credentials {
  try {
    return openCredentials(password === undefined ? before : { ...before, password: null }, secrets)
  } catch (error) {
    if (!(error instanceof FaultError)) throw error
    throw problemOf([{ field: 'password', problem: error.message }])
  }
}

/** All that is wrong, the first of it by its field. */
function problemOf(problems: readonly { readonly field: string; readonly problem: string }[]): Problem {
  const problem = problems.map(one => `body/${one.problem}`).join('; ')
  return new Problem('service_invalid', { problem, field: problems[0]!.field })
}

/** Gives the service as it was. */
async function deleteService(room: ServicesOptions, { orgId }: BackendCaller, id: number): Promise<Service> {
  const last = await getService(room, orgId, id)
  const refuse = (functions: string): never => {
    throw new Problem('service_attached', { id, functions, org: last.orgName })
  }
  if (last.attachedTo.length > 0) refuse(last.attachedTo.join(', '))
  try {
    const [gone] = await room.db.query(DELETE, [orgId, id])
    if (!gone) throw new Problem('service_not_found', { id })
  } catch (error) {
    // Attached since it was looked at.
    if (error instanceof DatabaseError && error.constraint === 'backend_service')
      refuse((await getService(room, orgId, id)).attachedTo.join(', '))
    throw error
  }
  return last
}
