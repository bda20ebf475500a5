/** `posthorn key …`: the API keys of an org, over HTTP. A new key goes to stdout alone, so that it can be piped where it belongs. */
import type { Client, Key } from '@posthorn/client'
import { parseDuration, scopeWords } from '@posthorn/contract'
import { Command, InvalidArgumentError, Option } from 'commander'
import { callServer, type RemoteFlags, readAll, remoteOf } from './remote.ts'
import { printTable } from './table.ts'

interface AddFlags extends RemoteFlags {
  readonly name: string
  readonly scopes: string[]
  readonly expires?: string
}

export function keyCommand(): Command {
  return new Command('key')
    .summary('make, list and revoke the API keys of an org')
    .addCommand(
      remoteOf('add')
        .summary('make an API key, and print it: nobody can see it again')
        .requiredOption('-n, --name <text>', 'what it is for')
        .requiredOption(
          '-s, --scopes <list>',
          `what it may do, with commas between: ${scopeWords.join(', ')}`,
          readList,
        )
        .addOption(new Option('--expires <when>', 'a date with time, or a duration such as 30d').argParser(readWhen))
        .action(add),
    )
    .addCommand(remoteOf('list').summary('list the API keys').action(list))
    .addCommand(remoteOf('revoke <key>').summary('end an API key, by its id or by how it begins').action(revoke))
}

const readList = (text: string): string[] => text.split(',').flatMap(part => part.trim() || [])

function readWhen(text: string): string {
  const ms = parseDuration(text)
  const time = typeof ms === 'number' ? Date.now() + ms : Date.parse(text)
  if (Number.isNaN(time)) throw new InvalidArgumentError('must be a date with time, or a duration such as 30d')
  return new Date(time).toISOString()
}

async function add(flags: AddFlags): Promise<void> {
  const { name, scopes, expires } = flags
  const made = await callServer(flags, client =>
    client.keys.create({ name, scopes, ...(expires !== undefined && { expiresAt: expires }) }),
  )
  if (flags.json) return console.log(JSON.stringify(made))
  console.error(`key ${made.id} is made; it is shown this once:`)
  console.log(made.token)
}

async function list(flags: RemoteFlags): Promise<void> {
  const keys = await callServer(flags, client => readAll(page => client.keys.list(page)))
  if (flags.json) return console.log(JSON.stringify(keys))
  const rows = keys.map(({ id, prefix, name, scopes, lastUsedAt, expiresAt }) => ({
    id,
    prefix,
    name,
    scopes: scopes.join(','),
    lastUsedAt,
    expiresAt,
  }))
  console.log(printTable(rows))
}

async function revoke(which: string, flags: RemoteFlags): Promise<void> {
  const gone = await callServer(flags, async client => client.keys.delete({ id: await idOf(client, which) }))
  console.log(flags.json ? JSON.stringify(gone) : `key ${gone.id} (${gone.name}) is revoked`)
}

/** @throws Error that says which key there is not */
async function idOf(client: Client, which: string): Promise<number> {
  if (/^\d+$/.test(which)) return Number(which)
  const keys: Key[] = await readAll(page => client.keys.list(page))
  const found = keys.filter(({ prefix }) => prefix === which || which.startsWith(prefix))
  if (found.length !== 1)
    throw new Error(
      found.length === 0 ? `no key begins with ${which.slice(0, 12)}` : 'several keys begin so: name one by its id',
    )
  return found[0]!.id
}
