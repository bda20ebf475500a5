/** The API over the real queue room, for callers who are bound by rules. */
import type { AuthorizationRule } from '@posthorn/contract'
import { NodeChanges } from '../../src/api/changes.ts'
import { createApi } from '../../src/api/server.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { queueOperations } from '../../src/queue/operations.ts'
import { createFakeHandlers } from '../api/fake-handlers.ts'
import { type Answered, call } from '../api/serve.ts'
import { openTenantRoom, type Room } from '../queue-room.ts'
import { ADMIN_SECRET } from './roles.ts'

export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>

/** Serves until it is closed; callers are those of `rules`, and the admin. */
export async function serveRoom(room: Room, orgId: number, rules: AuthorizationRule[]) {
  const tenants = openTenantRoom(room.db, orgId)
  const api = createApi({
    config: {
      host: '127.0.0.1',
      port: 0,
      adminSecret: ADMIN_SECRET,
      authorization: { adminSecret: ADMIN_SECRET, rules },
      maxBodyBytes: 1_048_576,
      maxIncomingBytes: 134_217_728,
    },
    tenants: tenants.tenants,
    version: '1.2.3',
    handlers: { ...createFakeHandlers().handlers, ...queueOperations(room), ...tenants.handlers },
    changes: new NodeChanges({ clock: systemClock, log: silentLog, send: null, nodeId: 'alone' }),
    health: { check: () => ({ live: true, ready: true, parts: {} }) },
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    log: silentLog,
  })
  const { url } = await api.listen()
  const serve: Call = (...args) => call(url, ...args)
  return { call: serve, close: () => api.close(1000) }
}
