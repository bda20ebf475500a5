/**
 * One node, put together: the only file that knows which adapters are used.
 *
 * Started in the order in which things stand on one another, stopped in the reverse: callers first, then attempts, then
 * shards, then the database. Its port is had before it takes anything over, and callers let in when it has. A start that
 * fails stops what it had started.
 */
import { readFileSync } from 'node:fs'
import type { Client } from '@posthorn/client'
import { type Config, Problem } from '@posthorn/contract'
import { checkAccess } from './api/access/access.ts'
import type { CalledAs } from './api/access/in-process.ts'
import { NodeChanges } from './api/changes.ts'
import { createApi } from './api/server.ts'
import { openNodeBackend, withWorkers } from './app-backend.ts'
import { Closing } from './app-closing.ts'
import { openDelivery } from './app-delivery.ts'
import { openMetrics } from './app-metrics.ts'
import { LIST_LIMIT_MS, openQueues } from './app-queues.ts'
import { openTenants } from './app-tenants.ts'
import { backendBelongings } from './backend/org-belongings.ts'
import type { Backend } from './backend/room.ts'
import type { Clock } from './clock.ts'
import { systemClock } from './clock.ts'
import { answers, channelOf, notify } from './db/announce.ts'
import { migrate } from './db/migrate.ts'
import { openDatabase } from './db/open.ts'
import { type Database, DatabaseError } from './db/port.ts'
import type { Sender } from './deliver/port.ts'
import { DirectCalls } from './direct/direct-calls.ts'
import { boundPuts } from './engine/bounded-puts.ts'
import type { Chore } from './engine/chore.ts'
import { createGroupCommit, type GroupCommit } from './engine/group-commit.ts'
import type { Locks, PullEngine } from './engine/port.ts'
import { createPostgresEngine } from './engine/postgres/engine.ts'
import { countWorkers, createPostgresLocks, createSoloLocks } from './engine/postgres/locks.ts'
import { put } from './engine/postgres/put.ts'
import { upkeepChores } from './engine/postgres/upkeep/chores.ts'
import { adoptRestored } from './engine/postgres/upkeep/restored.ts'
import { createSpanRepair, ensureSpans } from './engine/postgres/upkeep/spans.ts'
import { createIds, type Ids, nodeId } from './id.ts'
import type { Log } from './log.ts'
import { QueueBook, type QueueConfig } from './queue/book.ts'
import { createCronChain, type PutWithin } from './queue/cron-chain.ts'
import { cancelOnDeletedQueues } from './queue/queues.ts'
import { traceTicks } from './queue/traced-puts.ts'
import { Announcer, readAnnouncement } from './run/announcer.ts'
import { Janitor } from './run/janitor.ts'
import { meterEngine } from './run/metered-engine.ts'
import type { Metrics } from './run/metrics.ts'
import { WorkingNode } from './run/node.ts'
import { type Delivery, defaultLimits, type Routes } from './run/port.ts'
import { Scheduler } from './run/scheduler.ts'
import type { SocketPlan } from './run/sockets.ts'
import { createTelling, type Telling } from './tell/telling.ts'
import { type Installation, openInstallation } from './tenant/installation.ts'
import { readKeyState, type SecretRing } from './tenant/secret-ring.ts'
import { openSecrets } from './tenant/secrets.ts'
import type { Tracing } from './tracing.ts'

export interface RunningNode {
  /** Where it answers. */
  readonly url: string
  /** Every operation, in process, as the operator: what `createClient` of @posthorn/client has, without HTTP. */
  readonly client: Client
  /** The same for another org, or with no more than an API key's rights. @throws TypeError for an empty name */
  clientFor(as: CalledAs): Client
  /** Stops in order, within the configured time. */
  stop(): Promise<void>
}

export const SHARDS = 64
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Starts a node and resolves when it serves. @throws Error in one sentence for an operator, with everything stopped again */
export async function startNode(config: Config, log: Log): Promise<RunningNode> {
  const closing = new Closing()
  try {
    const { url, calls } = await start(config, log, closing)
    return { url, client: calls.client(), clientFor: as => calls.client(as), stop: () => closing.run(log) }
  } catch (error) {
    await closing.run(log)
    throw error
  }
}

/** Brings the database up to date, and closes it. */
export async function migrateDatabase(config: Config, log: Log): Promise<void> {
  const db = await openDatabase(databaseOptions(config), log)
  try {
    await migrate(db, log)
  } finally {
    await db.stop()
  }
}

async function start(config: Config, log: Log, closing: Closing) {
  checkAccess({ ...config, log })
  const db = await openDatabase(databaseOptions(config), log)
  closing.add('database', () => db.stop())
  await migrate(db, log)
  await ensureSpans(db)
  await adoptRestored(db)
  const parts = await openParts(config, log, db)
  const tenants = openTenantRoom(parts, () => node.changed())
  closing.add('tenants', () => tenants.stop())
  closing.add('changes', async () => parts.changes.stop())

  const book = new QueueBook({ db, secrets: parts.secrets, clock: systemClock, log })
  const { sender, delivery: webhooks, plan, guard, tracing } = openDelivery({ ...parts, version })
  closing.add('connections', () => sender.stop(0))
  const backend = openNodeBackend({ ...parts, book, guard, version, tracing })
  closing.add('services', () => backend.close())
  const delivery = withWorkers(webhooks, backend.delivery)
  const locks = config.roles.includes('worker') ? await openLocks(parts) : null
  const working = await openNode({ ...parts, book, sender, delivery, plan, locks, tenants }, closing)
  const { node, metrics, telling } = working
  const putTicks = tracing ? traceTicks(put, tracing, book) : put
  const ways = openWaysIn({ ...parts, ...working, book, backend, plan, putTicks, tracing, tenants })
  closing.addFirst('callers', () => ways.close())
  const { url } = await ways.listen()
  const scheduler = openScheduler(parts, putTicks, node, metrics)
  closing.add('crons', () => scheduler.stop())
  if (config.roles.includes('worker')) await scheduler.catchUp()
  await telling.start()
  await node.start()
  scheduler.start()
  closing.add('node', () => node.stop(config.shutdownTimeoutMs))
  startJanitor(parts, node, metrics, [...telling.chores, ...tenants.chores, ...backend.chores], closing)
  ways.open()
  return { url, calls: ways.calls }
}

async function openParts(config: Config, log: Log, db: Database): Promise<Parts> {
  const installation = await openInstallation(db, { shardCount: SHARDS, instanceOrg: config.instanceOrg })
  const secrets = await openSecrets(db, { configured: config.secretKey ?? undefined, folder: config.dataDir })
  return {
    config,
    log,
    db,
    clock: systemClock,
    installation,
    secrets,
    ids: createIds(installation.webhookIdKey),
    nodeId: nodeId(),
    changes: openChanges(db, log),
  }
}

interface Parts {
  readonly config: Config
  readonly log: Log
  readonly db: Database
  readonly clock: Clock
  readonly installation: Installation
  readonly secrets: SecretRing
  readonly ids: Ids
  readonly nodeId: string
  readonly changes: NodeChanges
}

/** Whatever changes of an org, its keys, or the key of secrets (which is no org's: 0) is looked at by all nodes. */
function openTenantRoom(parts: Parts, changed: () => void) {
  const { instanceOrgId: id, instanceOrgName: name } = parts.installation
  const { db, log, secrets } = parts
  const belongings = [backendBelongings()]
  const room = openTenants({ ...parts, instanceOrg: { id, name }, listLimitMs: LIST_LIMIT_MS, belongings }, changed)
  return {
    ...room,
    changed(orgId: number): void {
      if (orgId !== 0) {
        room.forget(orgId)
        return
      }
      readKeyState(db)
        .then(state => secrets.learn(state))
        .catch((error: unknown) => log.error({ err: error }, 'the key of secrets could not be looked at'))
    },
  }
}

function openChanges(db: Database, log: Log): NodeChanges {
  // The embedded database has one node, and nobody else to tell.
  const send = db.kind === 'postgres' ? (payload: string) => notify(db, channelOf(db), payload) : null
  return new NodeChanges({ clock: systemClock, log, send, nodeId: nodeId() })
}

export function databaseOptions(config: Config) {
  return {
    url: config.databaseUrl ?? undefined,
    lockUrl: config.databaseLockUrl ?? undefined,
    dataDir: config.dataDir,
    schema: config.databaseSchema,
    lockKey: config.lockKey ?? undefined,
    poolSize: config.databasePoolSize,
  }
}

type Node = WorkingNode<QueueConfig>

interface NodeParts extends Parts {
  readonly book: QueueBook
  readonly delivery: Delivery<QueueConfig>
  readonly sender: Sender
  readonly plan: SocketPlan
  readonly locks: Locks | null
  readonly tenants: ReturnType<typeof openTenantRoom>
}

async function openNode(parts: NodeParts, closing: Closing) {
  const { config, log, db, clock, installation, book, delivery, changes, plan } = parts
  const metrics = openMetrics({ ...parts, node: () => node, commit: () => commit })
  const stored = createPostgresEngine(db, installation.shardCount)
  const engine = meterEngine(stored, metrics.engine, () => clock.monotonic())
  const telling = openTelling({ ...parts, book }, metrics, () => node.changed())
  closing.add('telling', () => telling.stop())
  const announcer = new Announcer({ clock, log, notify: payload => notify(db, channelOf(db), payload) })
  const node: Node = new WorkingNode<QueueConfig>({
    id: parts.nodeId,
    engine,
    locks: parts.locks,
    routes: tellingRoutes(book, telling),
    delivery,
    clock,
    log,
    meter: metrics.meter,
    happenings: telling.happenings,
    limits: { ...defaultLimits, ...plan, unsettled: config.maxUnsettled },
    random: Math.random,
    ownershipTimeoutMs: config.ownershipTimeoutMs,
    pollMs: config.pollIntervalMs,
    pauseQueue: (queueId, reason) => telling.pauseGone(queueId, reason),
    announce: shards => db.kind === 'postgres' && announcer.announce(shards),
    unanswered: () => db.cutConnections(),
    told: ({ orgId, id }) => publishMessage(changes, orgId, id),
    heardOf({ kind, queueId }) {
      if (kind === 'tenant') parts.tenants.changed(queueId)
      if (kind === 'org') book.forgetAll()
    },
    led: leads => log.info({ leads }, leads ? 'this node leads' : 'this node leads no longer'),
  })
  closing.add('announcements', async () => announcer.stop())
  const commits = createGroupCommit({
    put: messages => node.put(messages),
    repair: createSpanRepair(db, error => log.error({ err: error }, 'making the missing partition failed')),
  })
  const commit = boundPuts(commits, { messages: config.maxWaitingPuts, bytes: config.maxIncomingBytes })
  const heard = (payload: string): void => void (changes.heard(payload) || node.heard(readAnnouncement(payload)))
  const listening = await db.listen(channelOf(db), heard, () => node.heard(null))
  closing.add('listener', () => listening.stop())
  return { node, metrics, commit, engine, telling }
}

function openTelling(parts: Parts & { readonly book: QueueBook }, metrics: Metrics, changed: () => void): Telling {
  const { config, db, installation, book } = parts
  const { operationalEventsQueue: queue, operationalEvents: types, backlogAgeLimitMs, ownershipTimeoutMs } = config
  return createTelling({
    ...parts,
    node: parts.nodeId,
    ...installation,
    queue,
    types,
    backlogAgeLimitMs,
    ownershipTimeoutMs,
    nameOf: queueId => book.get(queueId)?.name ?? null,
    // The embedded database has no node but this one.
    countWorkers: async () => (db.kind === 'postgres' ? countWorkers(db) : Number(config.roles.includes('worker'))),
    putWithin: put,
    changed,
    counted: (type, count) => metrics.told(type, count),
  })
}

/** The book, whose news the telling hears too. */
function tellingRoutes(book: QueueBook, telling: Telling): Routes<QueueConfig> {
  return {
    get: id => book.get(id),
    load: ids => book.load(ids),
    forget(id) {
      book.forget(id)
      telling.queueChanged(id)
    },
  }
}

/** @throws Error if nodes that run use other locks: better now than when this one is to serve */
async function openLocks({ db, config, installation }: Parts): Promise<Locks> {
  if (db.kind === 'embedded') return createSoloLocks(db, installation.shardCount)
  const locks = createPostgresLocks(db)
  const hold = await locks.open(config.ownershipTimeoutMs, () => {})
  await hold.close()
  return locks
}

function startJanitor(parts: Parts, node: Node, metrics: Metrics, chores: readonly Chore[], closing: Closing): void {
  const { config, db, clock, log } = parts
  const upkeep = upkeepChores(db, {
    retentionMs: config.retentionMs,
    settledHere: () => metrics.settledHere(),
    cancelOnDeletedQueues: () => cancelOnDeletedQueues(db),
    log,
  })
  const janitor = new Janitor({ chores: [...upkeep, ...chores], leads: () => node.stats.leads, clock, log })
  janitor.start()
  closing.add('janitor', () => janitor.stop())
}

/** For subscribers: the message is not what it was, or it is new. */
function publishMessage(changes: NodeChanges, orgId: number, id: number): void {
  changes.publish({ orgId, resource: 'message', act: 'saved', id })
}

function openScheduler(parts: Parts, putWithin: PutWithin, node: Node, metrics: Metrics): Scheduler {
  const { db, clock, log, changes } = parts
  const told = (orgId: number, id: number): void => publishMessage(changes, orgId, id)
  const chain = createCronChain({ db, putWithin, log, told, ticked: ticked => metrics.ticked(ticked) })
  return new Scheduler({ chain, leads: () => node.stats.leads, stored: () => node.changed(), clock, log })
}

interface ApiParts extends Parts {
  readonly book: QueueBook
  readonly backend: Backend
  readonly node: Node
  readonly metrics: Metrics
  readonly commit: GroupCommit
  readonly engine: PullEngine
  readonly telling: Telling
  readonly plan: SocketPlan
  readonly putTicks: PutWithin
  /** Null where no SDK of OpenTelemetry is registered. */
  readonly tracing: Tracing | null
  readonly tenants: ReturnType<typeof openTenantRoom>
}

/** Over HTTP as far as its roles go; in process whoever runs it may call it, whatever they are. */
function openWaysIn(parts: ApiParts) {
  const { config, log, db, node, metrics, changes, clock, tracing } = parts
  const { tenants } = parts.tenants
  const handlers = openHandlers(parts)
  const shared = { changes, tenants, log, translate: problemOfDatabase }
  const api = createApi({
    ...shared,
    config,
    maxConnections: parts.plan.callers,
    version,
    handlers: config.roles.includes('api') ? handlers : null,
    health: { check: () => checkHealth(db, node) },
    metrics: () => metrics.render(),
  })
  const calls = new DirectCalls({ ...shared, handlers, maxBodyBytes: config.maxBodyBytes, clock, tracing })
  const deadlineMs = config.shutdownTimeoutMs
  const { listen, open } = api
  return { listen, open, calls, close: () => Promise.all([api.close(deadlineMs), calls.close(deadlineMs)]) }
}

function openHandlers(parts: ApiParts) {
  const { book, node, backend, telling, tenants } = parts
  const changed = (): void => node.changed()
  const queues = openQueues({ ...parts, deaths: telling.happenings, changed })
  const functionsChanged = (): void => {
    book.forgetAll()
    changed()
  }
  const services = backend.operations({ put: queues['messages.put'], changed: functionsChanged })
  return { ...queues, ...tenants.handlers, ...services }
}

async function checkHealth(db: Database, node: Node) {
  const isThere = await answers(db)
  const { shards, members, leads } = node.stats
  return {
    live: true,
    ready: isThere && node.isReady,
    parts: {
      database: { ok: isThere, state: isThere ? db.kind : 'does not answer' },
      worker: { ok: node.isReady, state: `${shards} shards, ${members} workers${leads ? ', leader' : ''}` },
    },
  }
}

function problemOfDatabase(error: unknown): Problem | null {
  if (!(error instanceof DatabaseError) || error.outcome === 'rejected') return null
  return new Problem(error.outcome === 'unknown' ? 'outcome_unknown' : 'database_unavailable', {}, { cause: error })
}
