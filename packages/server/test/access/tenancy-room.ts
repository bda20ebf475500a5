/** Orgs for the tenancy matrix: each with one record of every kind, and keys of every sort. */
import { keyScopes, type Scope } from '@posthorn/contract'
import type { Database } from '../../src/db/port.ts'
import { queueOperations } from '../../src/queue/operations.ts'
import { openInstallation } from '../../src/tenant/installation.ts'
import { aloneChanges, bareApi } from '../api/bare-api.ts'
import { type Answered, call } from '../api/serve.ts'
import { openBackendRoom } from '../backend-room.ts'
import { asked, makeSpan, openTenantRoom } from '../queue-room.ts'
import { ADMIN_SECRET } from './roles.ts'

export type Send = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>
export type RecordIds = Readonly<
  Record<'queue' | 'message' | 'cron' | 'org' | 'key' | 'service' | 'worker' | 'template', number>
>

/** No record has it, in any org. */
export const NOBODYS = 987_654_321
export const unknownIds: RecordIds = {
  queue: NOBODYS,
  message: NOBODYS,
  cron: NOBODYS,
  org: NOBODYS,
  key: NOBODYS,
  service: NOBODYS,
  worker: NOBODYS,
  template: NOBODYS,
}

export interface Tenant {
  readonly name: string
  readonly ids: RecordIds
  /** A key that has all of `scopes`. */
  keyWith(scopes: readonly (Scope | '*')[]): Promise<string>
}

export type TenancyRoom = Awaited<ReturnType<typeof openTenancy>>

/** Two servers over one database: one that asks for a secret, and an open one on loopback. */
export async function openTenancy(db: Database) {
  await makeSpan(db)
  // Ids that are found nowhere else in an answer.
  const sequences = ['queue_id_seq', 'cron_id_seq', 'org_id_seq', 'api_key_id_seq', 'service_id_seq', 'template_id_seq']
  for (const sequence of [...sequences, 'message_id'])
    await db.query({ name: '', text: `SELECT setval('posthorn.${sequence}', $1::bigint)` }, [500_000])
  const { instanceOrgId } = await openInstallation(db, { shardCount: 4 })
  const { room, operations, stop } = openBackendRoom(db, instanceOrgId)
  const tenants = openTenantRoom(db, instanceOrgId)
  const changes = aloneChanges()
  const handlers = { ...queueOperations(room), ...tenants.handlers, ...operations }
  const open = (adminSecret: string | null) =>
    bareApi({ config: { adminSecret }, tenants: tenants.tenants, handlers, changes })
  const guarded = open(ADMIN_SECRET)
  const free = open(null)
  const { url } = await guarded.listen()
  const { url: freeUrl } = await free.listen()
  let nth = 0

  return {
    db,
    url,
    freeUrl,
    tenants,
    send: ((...args) => call(url, ...args)) as Send,
    sendFree: ((...args) => call(freeUrl, ...args)) as Send,
    makeTenant: () => makeTenant(room, operations, tenants, `tenant-${++nth}`),
    close: async (): Promise<void> => {
      await guarded.close(1000)
      await free.close(1000)
      await stop()
    },
  }
}

async function makeTenant(
  { queues, messages, crons }: ReturnType<typeof openBackendRoom>['room'],
  backend: ReturnType<typeof openBackendRoom>['operations'],
  { handlers }: ReturnType<typeof openTenantRoom>,
  name: string,
): Promise<Tenant> {
  const org = await handlers['orgs.create']({ orgId: 0 }, { name })
  const caller = { orgId: org.id }
  const dead = await queues.create(caller, { name: 'dead' })
  const queue = await queues.create(caller, { name: 'q', deadLetterQueueId: dead.id })
  const cron = await crons.create(caller, { queueId: queue.id, schedule: '@yearly' })
  const message = await messages.put(caller, { queueId: queue.id, body: 'hello', idempotencyKey: 'once' })
  const key = await handlers['keys.create'](caller, { name: 'k', scopes: ['*'] })
  const owner = { ...caller, rights: null }
  await backend['services.upsert'](owner, { name: 'testmail' })
  await backend['processing.update'](owner, { emailBackend: 'testmail' })
  const service = await backend['services.upsert'](owner, { name: 'testdetail' })
  const template = await backend['templates.upsert'](owner, { name: 't', subject: 's', text: 'x' })
  const { items } = await backend['workers.list'](owner, asked())
  return {
    name,
    ids: {
      queue: queue.id,
      message: message.id,
      cron: cron.id,
      org: org.id,
      key: key.id,
      service: service.id,
      worker: items[0]!.id,
      template: template.id,
    },
    keyWith: async scopes => (await handlers['keys.create'](caller, { name: 'k', scopes: [...scopes] })).token!,
  }
}

/** Everything that an org has, as text. */
export async function contentOf(db: Database, orgId: number): Promise<string> {
  const parts = ['queue', 'cron', 'message', 'message_done', 'api_key', 'service', 'template'].map(
    table =>
      `(SELECT jsonb_agg(to_jsonb(t) - 'last_used_at' ORDER BY t.id) FROM posthorn.${table} AS t WHERE t.org_id = $1::int)`,
  )
  const org = '(SELECT to_jsonb(o) FROM posthorn.org AS o WHERE o.id = $1::int)'
  const text = `SELECT jsonb_build_array(${[...parts, org].join(', ')})::text AS content`
  return (await db.query<{ content: string }>({ name: '', text }, [orgId]))[0]!.content
}

/** Keys that no more do: one whose time is over, and one that was revoked after it had been used. */
export async function makeDeadKeys(room: TenancyRoom, tenant: Tenant): Promise<{ expired: string; revoked: string }> {
  const expired = await tenant.keyWith(['*'])
  const text = `UPDATE posthorn.api_key SET expires_at = now() - interval '1 second' WHERE prefix = $1`
  await room.db.query({ name: '', text }, [expired.slice(0, 12)])
  const revoked = await tenant.keyWith(['*'])
  const before = await room.send('GET', '/keys/', undefined, { authorization: `Bearer ${revoked}` })
  const { id } = before.json.find(({ prefix }: { prefix: string }) => revoked.startsWith(prefix))
  await room.tenants.handlers['keys.delete']({ orgId: tenant.ids.org }, { id })
  return { expired, revoked }
}

/** All scopes but those that are needed. */
export const scopesWithout = (needed: readonly Scope[]): Scope[] => keyScopes.filter(scope => !needed.includes(scope))
