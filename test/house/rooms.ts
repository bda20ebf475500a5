/** The house: which room may import which, declared once. ARCHITECTURE.md says why. */

export interface Room {
  /** Rooms it may import from. */
  readonly imports: readonly string[]
  /** Single files it may import besides, as a contract with whoever hands the implementation in. */
  readonly ports?: readonly string[]
  /** Single files it may import types from, and nothing that exists at run time. */
  readonly portTypes?: readonly string[]
  /** Whether statements may stand in it. */
  readonly sql?: boolean
}

const LEAVES = ['contract', 'clock', 'id', 'log', 'generations', 'members', 'tracing']
const DOMAIN = [...LEAVES, 'tenant', 'engine', 'queue']

/** In the order of the house: imports go down only. */
export const ROOMS: Readonly<Record<string, Room>> = {
  contract: { imports: [] },
  client: { imports: [] },
  clock: { imports: [] },
  id: { imports: [] },
  log: { imports: [] },
  tracing: { imports: [] },
  generations: { imports: [] },
  members: { imports: [] },
  config: { imports: ['contract'] },
  db: { imports: LEAVES, sql: true },
  deliver: { imports: LEAVES },
  services: { imports: LEAVES },
  list: { imports: [...LEAVES, 'db'], sql: true },
  tenant: { imports: [...LEAVES, 'db', 'list'], sql: true },
  engine: { imports: [...LEAVES, 'db'], sql: true },
  queue: { imports: [...LEAVES, 'db', 'list', 'tenant', 'engine'], sql: true },
  import: { imports: [...LEAVES, 'db', 'tenant', 'engine', 'queue'], sql: true },
  run: { imports: [...LEAVES, 'engine', 'queue'], ports: ['db/port.ts'], portTypes: ['deliver/port.ts'], sql: true },
  tell: { imports: [...LEAVES, 'db', 'engine', 'queue'], sql: true },
  backend: {
    imports: [...DOMAIN, 'db', 'list', 'services'],
    portTypes: ['run/port.ts', 'deliver/next.ts'],
    sql: true,
  },
  api: { imports: DOMAIN },
  direct: { imports: [...LEAVES, 'client', 'api'] },
  'app-closing': { imports: LEAVES },
  'app-queues': { imports: [...DOMAIN, 'db', 'deliver'] },
  'app-delivery': { imports: [...DOMAIN, 'deliver', 'run', 'api'] },
  'app-metrics': { imports: [...DOMAIN, 'deliver', 'run'] },
  'app-tenants': { imports: [...DOMAIN, 'db', 'api'] },
  'app-backend': { imports: [...DOMAIN, 'app-queues', 'db', 'deliver', 'services', 'run', 'backend'] },
  app: {
    imports: [
      ...DOMAIN,
      'app-backend',
      'app-closing',
      'app-delivery',
      'app-metrics',
      'app-queues',
      'app-tenants',
      'config',
      'db',
      'deliver',
      'services',
      'backend',
      'run',
      'tell',
      'api',
      'client',
      'direct',
    ],
  },
  'app-import': { imports: [...DOMAIN, 'import', 'db', 'deliver', 'api', 'app'] },
  'app-secrets': { imports: [...DOMAIN, 'db', 'app'] },
  cli: {
    imports: [...DOMAIN, 'import', 'client', 'config', 'app', 'app-import', 'app-secrets'],
    ports: ['deliver/sign.ts'],
  },
  index: { imports: [...DOMAIN, 'client', 'config', 'db', 'deliver', 'run', 'tell', 'api', 'cli', 'app'] },
}

export interface Import {
  /** Path of the imported file below packages/server/src, or a package's name. */
  readonly target: string
  readonly typeOnly: boolean
}

const PACKAGES: Readonly<Record<string, string>> = { '@posthorn/contract': 'contract', '@posthorn/client': 'client' }

/** The room of a file of the server (`db/port.ts` → db, `clock.ts` → clock) or of one of our packages; null for anything else. */
export function roomOf(path: string): string | null {
  if (path in PACKAGES) return PACKAGES[path] ?? null
  if (path.startsWith('node:') || !path.endsWith('.ts')) return null
  return path.includes('/') ? (path.split('/')[0] ?? null) : path.replace(/\.ts$/, '')
}

/** Null if a file of `room` may have this import, else the sentence that says why not. */
export function objection(room: string, { target, typeOnly }: Import): string | null {
  const other = roomOf(target)
  if (other === null || other === room) return null
  const rules = ROOMS[room]
  if (!rules) return `${room} is no room of the house: give it a line in test/house/rooms.ts`
  if (rules.imports.includes(other) || rules.ports?.includes(target)) return null
  if (rules.portTypes?.includes(target)) {
    return typeOnly ? null : `${room} may import only types from ${target}: the implementation is handed in by app.ts`
  }
  return `${room} may not import ${target}; it may import ${rules.imports.join(', ') || 'nothing of ours'}`
}
