/** An import, put together as app.ts puts a node together: two databases, opened for as long as it takes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '@posthorn/contract'
import { objection } from './api/validator.ts'
import { databaseOptions, SHARDS } from './app.ts'
import { systemClock } from './clock.ts'
import { migrate } from './db/migrate.ts'
import { openDatabase } from './db/open.ts'
import type { Database } from './db/port.ts'
import { checkHeaders } from './deliver/header-rules.ts'
import { put } from './engine/postgres/put.ts'
import { adoptRestored } from './engine/postgres/upkeep/restored.ts'
import { ensureSpans } from './engine/postgres/upkeep/spans.ts'
import { importPgHooks, leadPgHooks, type Outcome } from './import/import-pg-hooks.ts'
import { PgHooksDatabase } from './import/pg-hooks-database.ts'
import { findUnfitMessages, type Plan, planImport, type Remark } from './import/plan.ts'
import type { Log } from './log.ts'
import { openInstallation } from './tenant/installation.ts'

export interface ImportRequest {
  /** PostgreSQL's connection string of the pg-hooks database. */
  readonly from: string
  readonly batchSize: number
  /** Goes on although pg-hooks seems to run. */
  readonly force: boolean
  /** Ends it between two batches. */
  readonly stop: AbortSignal
  /** Asked once, before anything is changed in pg-hooks. */
  readonly confirm: (plan: Plan) => Promise<boolean>
  readonly progress: (passed: number, all: number) => void
}

interface Look {
  readonly plan: Plan
  /** Messages that would stay in pg-hooks. */
  readonly unfit: readonly Remark[]
  readonly running: boolean
}

/** How long either server is waited for. */
const PATIENCE_MS = 15_000

/** Takes over a pg-hooks database. Null if it was not confirmed. @throws Error in one sentence, with both databases closed */
export async function importFromPgHooks(config: Config, log: Log, request: ImportRequest): Promise<Outcome | null> {
  const source = await openSource(request, log)
  try {
    await new PgHooksDatabase(source).check()
    const target = await openDatabase({ ...databaseOptions(config), signal: patience(request.stop) }, log)
    try {
      await migrate(target, log)
      await ensureSpans(target)
      await adoptRestored(target)
      const { instanceOrgId } = await openInstallation(target, { shardCount: SHARDS, instanceOrg: config.instanceOrg })
      return await runImport(new PgHooksDatabase(source), target, instanceOrgId, request)
    } finally {
      await target.stop()
    }
  } finally {
    await source.stop()
  }
}

async function runImport(
  source: PgHooksDatabase,
  target: Database,
  orgId: number,
  request: ImportRequest,
): Promise<Outcome | null> {
  const { force, stop, batchSize, confirm, progress } = request
  let lost: Error | null = null
  const lead = await leadPgHooks(source, force, reason => {
    lost = reason
  })
  const goOn = (): void => {
    stop.throwIfAborted()
    if (lost) throw new Error(`the lock of pg-hooks was lost (${lost.message}); run the command again to go on`)
  }
  try {
    const rules = { checkHeaders, objection }
    const plan = await planImport({ source, target, rules, now: systemClock.now() })
    if (!(await confirm(plan))) return null
    const makeRoom = (): Promise<void> => ensureSpans(target)
    const room = { source, target, orgId, rules, putWithin: put, makeRoom, batchSize, goOn, progress }
    return await importPgHooks(room, plan)
  } finally {
    await lead?.leave()
  }
}

/** What an import would do. Changes nothing; an embedded database that is not there yet is not made. */
export async function lookAtPgHooks(
  config: Config,
  log: Log,
  request: Pick<ImportRequest, 'from' | 'stop'>,
): Promise<Look> {
  const opened = await openSource(request, log)
  const source = new PgHooksDatabase(opened)
  let target: Database | null = null
  try {
    await source.check()
    if (config.databaseUrl !== null || existsSync(join(config.dataDir, 'pgdata'))) {
      target = await openDatabase({ ...databaseOptions(config), signal: patience(request.stop) }, log)
    }
    const rules = { checkHeaders, objection }
    const plan = await planImport({ source, target, rules, now: systemClock.now() })
    const { sessions, leads } = await source.running()
    return { plan, unfit: await findUnfitMessages(source, plan, rules), running: leads || sessions > 0 }
  } finally {
    await target?.stop()
    await opened.stop()
  }
}

function openSource({ from, stop }: Pick<ImportRequest, 'from' | 'stop'>, log: Log): Promise<Database> {
  return openDatabase({ url: from, dataDir: '', poolSize: 2, signal: patience(stop) }, log)
}

function patience(stop: AbortSignal): AbortSignal {
  return AbortSignal.any([stop, AbortSignal.timeout(PATIENCE_MS)])
}
