import { readFileSync } from 'node:fs'
import { Command, type CommanderError } from 'commander'
import { ConfigError } from '../config.ts'
import { importCommand } from './import.ts'
import { keyCommand } from './key.ts'
import { migrateCommand } from './migrate.ts'
import { orgCommand } from './org.ts'
import { secretsCommand } from './secrets.ts'
import { serveCommand } from './serve.ts'
import { serviceCommands } from './service.ts'
import { targetCommand } from './target.ts'
import { workersCommand } from './workers.ts'

/** What the command line ends with: 0 it did what was asked, 1 it could not, 2 it was asked wrongly. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

/** What takes a server's parts is read when it is asked for: whoever asks a server something waits for none of them. */
const app = () => import('../app.ts')
const appImport = () => import('../app-import.ts')
const appSecrets = () => import('../app-secrets.ts')

/** Runs the command line. Expected failures end in a sentence on stderr and an exit code, never in a stack. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv as string[])
  } catch (error) {
    console.error(`posthorn: ${explain(error)}`)
    // Whatever was half started may hold the process; nothing in it was promised to anybody.
    process.exit(error instanceof ConfigError ? EXIT.usage : EXIT.failed)
  }
}

function program(): Command {
  const program = new Command('posthorn')
    .description('Moves events between systems and loses none.')
    .version(version(), '-V, --version')
    .showHelpAfterError('(--help shows what is possible)')
    .exitOverride(leave)
  const own = [
    serveCommand(async (...args) => (await app()).startNode(...args)),
    migrateCommand(async (...args) => (await app()).migrateDatabase(...args)),
    importCommand({
      run: async (...args) => (await appImport()).importFromPgHooks(...args),
      look: async (...args) => (await appImport()).lookAtPgHooks(...args),
    }),
    targetCommand(),
  ]
  const remote = [orgCommand(), keyCommand(), ...serviceCommands(), workersCommand()]
  const secrets = secretsCommand(async (...args) => (await appSecrets()).rotateInstallationSecrets(...args))
  for (const command of [...own, ...remote, secrets]) {
    program.addCommand(inherit(command, program))
  }
  return program
}

/** Of a command and those below it: an error ends them all as `leave` says. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent)
  for (const below of command.commands) inherit(below, command)
  return command
}

/** Commander has printed what it has to say. */
function leave({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? EXIT.done : EXIT.usage)
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  if (code === 'EADDRINUSE') return `port ${port} is taken; choose another with --port`
  return error.message
}
