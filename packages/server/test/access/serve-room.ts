/** The API over the real queue room, for callers who are bound by rules. */
import type { AuthorizationRule } from '@posthorn/contract'
import type { Database } from '../../src/db/port.ts'
import { queueOperations } from '../../src/queue/operations.ts'
import { bareApi } from '../api/bare-api.ts'
import { createFakeHandlers } from '../api/fake-handlers.ts'
import { call } from '../api/serve.ts'
import { addOrg, makeSpan, openRoom, openTenantRoom } from '../queue-room.ts'
import { ADMIN_SECRET } from './roles.ts'

export type BoundRoom = Awaited<ReturnType<typeof serveRoom>>

/** An org with two queues, `mine` and `others`, served until it is closed; callers are those of `rules`, and the admin. */
export async function serveRoom(db: Database, rules: AuthorizationRule[]) {
  await makeSpan(db)
  const room = openRoom(db)
  const orgId = await addOrg(db, 'owner')
  const tenants = openTenantRoom(db, orgId)
  const api = bareApi({
    config: { adminSecret: ADMIN_SECRET, authorization: { adminSecret: ADMIN_SECRET, rules } },
    tenants: tenants.tenants,
    handlers: { ...createFakeHandlers().handlers, ...queueOperations(room), ...tenants.handlers },
  })
  const { url } = await api.listen()
  const makeQueue = async (name: string) => (await room.queues.create({ orgId }, { name, callbackUrl: null })).id
  return {
    url,
    room,
    orgId,
    mine: await makeQueue('mine'),
    others: await makeQueue('others'),
    put: async (queueId: number, more: object = {}): Promise<number> =>
      (await room.messages.put({ orgId }, { queueId, body: 'secret', ...more })).id,
    stored: (id: number) => room.messages.get({ orgId }, { id }),
    as: (role: string, metadata: Record<string, unknown> = {}) => callAs(url, role, metadata),
    close: () => api.close(1000),
  }
}

/** Calls as a role, with metadata in headers. */
function callAs(url: string, role: string, metadata: Record<string, unknown>) {
  const headers = {
    'x-platformatic-admin-secret': ADMIN_SECRET,
    'x-platformatic-role': role,
    ...Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)])),
  }
  return {
    get: (path: string) => call(url, 'GET', path, undefined, headers),
    put: (path: string, body: object = {}) => call(url, 'PUT', path, body, headers),
    post: (path: string, body?: object | string, more = {}) => call(url, 'POST', path, body, { ...headers, ...more }),
    delete: (path: string) => call(url, 'DELETE', path, undefined, headers),
    ask: async (query: string) => (await call(url, 'POST', '/graphql', { query }, headers)).json,
  }
}
