/** `posthorn org …`: for the operator, over HTTP. */
import { readFileSync } from 'node:fs'
import type { Client, Org } from '@posthorn/client'
import { Command, InvalidArgumentError, Option } from 'commander'
import { callServer, confirm, type RemoteFlags, readAll, remote } from './remote.ts'
import { printTable } from './table.ts'

interface OrgFlags extends RemoteFlags {
  readonly title?: string
  readonly emailFrom?: string | false
  readonly configJson?: Record<string, unknown>
}

export function orgCommand(): Command {
  return new Command('org')
    .summary('make, change, list and delete orgs')
    .addCommand(
      withFields('add <name>')
        .summary('make an org')
        .action((name: string, flags: OrgFlags) => add(name, flags)),
    )
    .addCommand(
      withFields('set <name>')
        .summary('change an org; what is not named keeps its value')
        .option('--no-email-from', 'it has no address of its own any more')
        .action((name: string, flags: OrgFlags) => set(name, flags)),
    )
    .addCommand(remote('list').summary('list the orgs').action(list))
    .addCommand(remote('show <name>').summary('show an org').action(show))
    .addCommand(
      remote('delete <name>')
        .summary('delete an org and all that it owns')
        .option('--dry-run', 'say what would go, and change nothing')
        .option('--yes', 'do not ask')
        .action(remove),
    )
}

function withFields(name: string): Command {
  return remote(name)
    .option('--title <text>', 'what people call it')
    .option('--email-from <address>', 'the address that its emails are sent from')
    .addOption(
      new Option('--config-json <json>', 'its configuration, a JSON object; - reads it from stdin').argParser(readJson),
    )
}

function readJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text === '-' ? readFileSync(0, 'utf8') : text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('must be a JSON object')
}

const fieldsOf = ({ title, emailFrom, configJson }: OrgFlags) => ({
  ...(title !== undefined && { title }),
  ...(emailFrom !== undefined && { emailFrom: emailFrom === false ? null : emailFrom }),
  ...(configJson !== undefined && { config: configJson }),
})

async function add(name: string, flags: OrgFlags): Promise<void> {
  const made = await callServer(flags, client => client.orgs.create({ name, ...fieldsOf(flags) }))
  console.log(flags.json ? JSON.stringify(made) : `org ${made.name} is made`)
}

async function set(name: string, flags: OrgFlags): Promise<void> {
  const changed = await callServer(flags, async client =>
    client.orgs.update({ id: (await find(client, name)).id, ...fieldsOf(flags) }),
  )
  console.log(flags.json ? JSON.stringify(changed) : `org ${changed.name} is changed`)
}

async function list(flags: RemoteFlags): Promise<void> {
  const orgs = await callServer(flags, client => readAll(page => client.orgs.list(page)))
  if (flags.json) return console.log(JSON.stringify(orgs))
  console.log(printTable(orgs.map(({ name, title, emailFrom, createdAt }) => ({ name, title, emailFrom, createdAt }))))
}

async function show(name: string, flags: RemoteFlags): Promise<void> {
  const org = await callServer(flags, client => find(client, name))
  console.log(flags.json ? JSON.stringify(org) : printFields({ ...org, config: JSON.stringify(org.config) }))
}

interface DeleteFlags extends RemoteFlags {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

async function remove(name: string, flags: DeleteFlags): Promise<void> {
  await callServer(flags, async client => {
    const { id } = await find(client, name)
    const counts = await client.orgs.previewDelete({ id })
    if (flags.dryRun)
      return console.log(flags.json ? JSON.stringify(counts) : `${printFields(counts)}\nnothing was changed`)
    console.error(printFields(counts))
    if (!(await confirm(`delete the org ${name} with all of this?`, flags.yes))) {
      return console.error('nothing was changed')
    }
    const gone = await client.orgs.delete({ id })
    console.log(flags.json ? JSON.stringify(gone) : `org ${name} is deleted; what it owned goes in the background`)
  })
}

/** @throws Error that says which org there is not */
async function find(client: Client, name: string): Promise<Org> {
  const { items } = await client.orgs.list({ where: { name: { eq: name } } })
  if (!items[0]) throw new Error(`there is no org ${name}`)
  return items[0]
}

function printFields(fields: object): string {
  const width = Math.max(...Object.keys(fields).map(name => name.length))
  return Object.entries(fields)
    .map(([name, value]) => `${name.padEnd(width)}  ${value ?? '-'}`)
    .join('\n')
}
