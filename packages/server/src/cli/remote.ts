/** What commands for a server that runs have in common: where it is, and by what they call. */
import { createInterface } from 'node:readline/promises'
import { type Client, createClient, PosthornError } from '@posthorn/client'
import { clientVariables } from '@posthorn/contract'
import { Command } from 'commander'
import { ConfigError, loadServer, processSources } from '../config.ts'

export interface RemoteFlags {
  readonly url?: string
  readonly config?: string
  readonly org?: string
  readonly json?: boolean
}

/** A command that talks to a server over HTTP; `words` are its name and its argument. */
export function remote(words: string): Command {
  const [name, argument] = words.split(' ') as [string, string?]
  const command = argument === undefined ? new Command(name) : new Command(name).argument(argument)
  return command
    .option('--url <url>', `where the server answers (env ${clientVariables.url}, default as its settings have it)`)
    .option('--config <path>', 'file with settings, in place of ./posthorn.json')
    .option('--json', 'answer in JSON')
}

/** The same, for one org. */
export function remoteOf(words: string): Command {
  return remote(words).option('-o, --org <name>', 'the org; without it, the one that runs the installation')
}

/**
 * A client with the credentials of the environment and the settings: POSTHORN_API_KEY, else the admin secret. They are never
 * flags, which others on the machine could read.
 */
function openClient({ url, config, org }: RemoteFlags): Client {
  const server = loadServer(processSources({ config }))
  return createClient({
    url: url ?? server.url,
    ...(server.apiKey !== null ? { apiKey: server.apiKey } : {}),
    ...(server.adminSecret !== null && server.apiKey === null && { adminSecret: server.adminSecret }),
    ...(org !== undefined && { org }),
  })
}

/** Asks before what cannot be taken back. @throws ConfigError where there is nobody to ask */
export async function confirm(question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) return true
  if (!process.stdin.isTTY) throw new ConfigError(['there is nobody to ask: say --yes, or look first with --dry-run'])
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

/** A page in full: some hundreds of rows, a hundred at a time. */
export async function readAll<Row extends { readonly id: number }>(
  read: (page: { limit: number; where: { id: { gt: number } } }) => Promise<{ readonly items: readonly Row[] }>,
): Promise<Row[]> {
  const rows: Row[] = []
  for (;;) {
    const { items } = await read({ limit: PAGE, where: { id: { gt: rows.at(-1)?.id ?? 0 } } })
    rows.push(...items)
    if (items.length < PAGE) return rows
  }
}
const PAGE = 100

/** Does something by a client. What refused credentials mean here is said in a sentence of its own. */
export async function callServer<T>(flags: RemoteFlags, act: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await act(openClient(flags))
  } catch (error) {
    throw explained(error)
  }
}

function explained(error: unknown): Error {
  if (error instanceof PosthornError && error.code === 'unauthorized')
    return new Error(
      `the server does not take these credentials: set POSTHORN_ADMIN_SECRET, or ${clientVariables.apiKey}`,
      { cause: error },
    )
  return error instanceof Error ? error : new Error(String(error))
}
