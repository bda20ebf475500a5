/** The backend room in a test: its operations over a database, with the services that there are and an outside that nobody leaves. */
import { randomBytes } from 'node:crypto'
import { openBackend } from '../src/backend/room.ts'
import { systemClock } from '../src/clock.ts'
import type { Database } from '../src/db/port.ts'
import { createGuard } from '../src/deliver/guard.ts'
import { next } from '../src/deliver/next.ts'
import { classify } from '../src/deliver/outcome.ts'
import { createIds } from '../src/id.ts'
import { silentLog } from '../src/log.ts'
import { SERVICES } from '../src/services/catalogue.ts'
import { createOutside } from '../src/services/outside.ts'
import { openRoom } from './queue-room.ts'

export const SHARDS = 4

export function openBackendRoom(
  db: Database,
  instanceOrgId: number,
  endpoint: (name: string) => string | null = () => null,
) {
  const room = openRoom(db)
  const outside = createOutside({ guard: createGuard({ allowLoopback: true, allow: [] }), classify })
  const backend = openBackend({
    db,
    clock: systemClock,
    log: silentLog,
    ids: createIds(randomBytes(16)),
    secrets: room.secrets,
    book: room.book,
    nodeId: 'a',
    tracing: null,
    instanceOrgId,
    shardCount: SHARDS,
    listLimitMs: 10_000,
    next,
    random: () => 0.5,
    types: SERVICES,
    means: { outside, clock: systemClock, log: silentLog, version: '0.0.0', endpoint },
  })
  const operations = backend.operations({ put: room.messages.put, changed: () => room.book.forgetAll() })
  const stop = async (): Promise<void> => {
    await backend.stop()
    await outside.close()
  }
  return { room, backend, operations, stop }
}
