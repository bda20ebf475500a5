/**
 * `posthorn import pg-hooks`: from a question to a report.
 *
 * The report goes to stdout, everything said on the way to stderr. The first SIGINT or SIGTERM ends it after the batch that is
 * under way, the second at once; neither loses anything.
 */
import { constants } from 'node:os'
import { createInterface } from 'node:readline/promises'
import type { Config } from '@posthorn/contract'
import { Command, InvalidArgumentError, Option } from 'commander'
import { destination, pino } from 'pino'
import type { ImportRequest, importFromPgHooks, lookAtPgHooks } from '../app-import.ts'
import { ConfigError, loadConfig, processSources } from '../config.ts'
import type { Plan } from '../import/plan.ts'
import type { Log } from '../log.ts'
import { describeOutcome, describePlan, isComplete } from './import-report.ts'
import { type Flags, withSettings } from './settings.ts'

export interface ImportCommands {
  readonly run: typeof importFromPgHooks
  readonly look: typeof lookAtPgHooks
}

type ImportFlags = Omit<Flags, 'batchSize' | 'dryRun' | 'force' | 'yes'> & {
  readonly from: string
  readonly batchSize: number
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly yes?: boolean
}

const DEFAULT_BATCH = 1000
const LARGEST_BATCH = 10_000
const PROGRESS_MS = 2000
/** Beside those of every command: something was left behind, and is listed. */
export const LEFT_SOMETHING = 3

export function importCommand(commands: ImportCommands): Command {
  const pgHooks = withSettings('pg-hooks')
    .summary('take over the queues, crons and waiting messages of pg-hooks')
    .description(
      'Takes over the queues, crons and waiting messages of a @platformatic/pg-hooks database, each once. Stop pg-hooks first. It can be ended at any moment and started again: it goes on where it was.',
    )
    .requiredOption('--from <url>', 'postgres:// URL of the database of pg-hooks', readUrl)
    .option('--dry-run', 'say what would be done, and change nothing')
    .addOption(
      new Option('--batch-size <n>', `messages in one transaction, 1 to ${LARGEST_BATCH}`)
        .argParser(readBatchSize)
        .default(DEFAULT_BATCH),
    )
    .option('--force', 'go on although pg-hooks seems to run')
    .option('--yes', 'do not ask')
    .action((flags: ImportFlags) => importPgHooks(flags, commands))
  return new Command('import').summary('take over from another system').addCommand(pgHooks)
}

async function importPgHooks(flags: ImportFlags, commands: ImportCommands): Promise<void> {
  const { from, batchSize, dryRun = false, force = false, yes = false, ...settings } = flags
  const config = loadConfig(processSources(settings as Flags))
  if (!dryRun && !yes && !process.stdin.isTTY) {
    throw new ConfigError(['there is nobody to ask: say --yes, or look first with --dry-run'])
  }
  const log = pino({ level: config.logLevel === 'info' ? 'warn' : config.logLevel }, destination(2))
  const stopping = stopOnSignal()
  if (dryRun) return look(config, log, { from, stop: stopping.signal }, commands)
  const confirm = async (plan: Plan): Promise<boolean> => {
    console.error(describePlan(plan))
    return yes || ask(stopping.signal)
  }
  const outcome = await commands
    .run(config, log, { from, batchSize, force, stop: stopping.signal, confirm, progress: createProgress() })
    .catch(error => {
      if (error !== stopping.signal.reason && error?.name !== 'AbortError') throw error
      console.error('stopped. What is imported stays imported; run the same command again to go on')
      return process.exit(128 + constants.signals[stopping.by() ?? 'SIGINT'])
    })
  if (outcome === null) return console.error('nothing was changed')
  console.log(describeOutcome(outcome))
  if (outcome.disagreement) throw new Error(`the counts do not agree: ${outcome.disagreement}`)
  process.exitCode = isComplete(outcome) ? 0 : LEFT_SOMETHING
}

async function look(
  config: Config,
  log: Log,
  request: Pick<ImportRequest, 'from' | 'stop'>,
  commands: ImportCommands,
): Promise<void> {
  const { plan, unfit, running } = await commands.look(config, log, request)
  console.log(describePlan({ ...plan, left: [...plan.left, ...unfit] }))
  if (running) console.log('pg-hooks runs: stop it before the import')
  console.log('this was a dry run: nothing was changed')
}

async function ask(signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')) // it takes Ctrl-C for itself
  try {
    const answer = await lines.question('import this? [y/N] ', { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    lines.close()
  }
}

/** The second signal ends the process at once. */
function stopOnSignal(): { readonly signal: AbortSignal; readonly by: () => NodeJS.Signals | null } {
  const controller = new AbortController()
  let by: NodeJS.Signals | null = null
  const asked = (signal: NodeJS.Signals): void => {
    if (by) process.exit(128 + constants.signals[signal])
    by = signal
    console.error('stopping after this batch; once more ends it at once')
    controller.abort()
  }
  process.on('SIGINT', asked).on('SIGTERM', asked)
  return { signal: controller.signal, by: () => by }
}

/** Says how far it is at once, and then now and then. */
function createProgress(): (passed: number, all: number) => void {
  let said = Number.NEGATIVE_INFINITY
  return (passed, all) => {
    if (performance.now() - said < PROGRESS_MS) return
    said = performance.now()
    console.error(`${count(passed)} of ${count(all)} messages`)
  }
}

const count = (n: number): string => n.toLocaleString('en')

function readUrl(text: string): string {
  if (!/^postgres(ql)?:\/\//.test(text)) throw new InvalidArgumentError('must be a postgres:// URL')
  return text
}

function readBatchSize(text: string): number {
  const n = Number(text)
  if (!/^\d+$/.test(text) || n < 1 || n > LARGEST_BATCH)
    throw new InvalidArgumentError(`must be a whole number from 1 to ${LARGEST_BATCH}`)
  return n
}
