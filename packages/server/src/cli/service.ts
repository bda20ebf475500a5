/** `posthorn service`, `service:set`, `service:email` …: an org's services and what it uses them for, over HTTP. */
import type { Client, Service } from '@posthorn/client'
import {
  backendFieldOf,
  type ServiceFunction,
  type ServiceName,
  SYSTEM,
  serviceFunctions,
  serviceNames,
} from '@posthorn/contract'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { ConfigError, loadServer, processSources } from '../config.ts'
import { callServer, confirm, type RemoteFlags, readAll, remoteOf } from './remote.ts'
import { readSecret } from './secret-input.ts'
import { printTable } from './table.ts'

interface SetFlags extends RemoteFlags {
  readonly name: ServiceName
  readonly id?: number
  readonly host?: string
  readonly user?: string
  readonly password?: string
  readonly passwordPrompt?: boolean
  readonly path?: string
}

interface BackendFlags extends RemoteFlags {
  readonly name?: string
  readonly none?: boolean
  readonly from?: string
}

interface PickFlags extends RemoteFlags {
  readonly name?: ServiceName
  readonly id?: number
  readonly yes?: boolean
}

const nameOption = () => new Option('-n, --name <service>', 'which service').choices(serviceNames)

/** In Proca's form: each a command of its own, `service:…`. */
export function serviceCommands(): Command[] {
  return [
    remoteOf('service').summary("list an org's services, and what it uses them for").action(list),
    setCommand(),
    ...serviceFunctions.map(backendCommand),
    pickOf('service:check', 'reach a service with its credentials, and say what was found').action(check),
    pickOf('service:delete', 'delete a service; not while it is attached').option('--yes', 'do not ask').action(remove),
  ]
}

function setCommand(): Command {
  return remoteOf('service:set')
    .summary('store the credentials of a service')
    .description(
      'Stores the credentials of a service: changes the latest of that name, or makes the first. What is not named keeps its value; an empty value takes it away. A password is best given with -P, on stdin with -p -, or in POSTHORN_SERVICE_PASSWORD.',
    )
    .helpOption('--help', 'display help for command')
    .addOption(nameOption().makeOptionMandatory())
    .option('-i, --id <id>', 'change this one instead of the latest', readId)
    .option('-h, --host <host>', 'where it is: a URL, a region, a server')
    .option('-u, --user <user>', 'user, or id of the key')
    .option('-p, --password <secret>', 'password, or secret of the key; - reads it from stdin')
    .option('-P, --password-prompt', 'ask for the password')
    .option('-l, --path <path>', 'what it has besides: a queue, a bucket, a route')
    .action(set)
}

function backendCommand(work: ServiceFunction): Command {
  const command = remoteOf(`service:${work}`)
    .summary(`attach a service to ${work}, or detach it; without either, say what is attached`)
    .option('-n, --name <service>', `a service by its name or id, or ${SYSTEM} for the instance org's`)
    .option('-N, --none', 'detach: its worker stops, what waits stays')
  if (work === 'email') command.option('-f, --from <address>', 'from whom emails are')
  return command.action((flags: BackendFlags) => assign(work, flags))
}

const pickOf = (name: string, summary: string): Command =>
  remoteOf(name).summary(summary).addOption(nameOption()).option('-i, --id <id>', 'which one of that name', readId)

function readId(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('must be an id: a whole number from 1')
  return Number(text)
}

async function list(flags: RemoteFlags): Promise<void> {
  const [services, processing] = await callServer(flags, client =>
    Promise.all([readAll(page => client.services.list(page)), client.processing.get({})]),
  )
  if (flags.json) return console.log(JSON.stringify({ services, processing }))
  console.log(services.length > 0 ? printTable(services.map(rowOf)) : `org ${processing.orgName} has no services`)
  for (const work of serviceFunctions) console.log(`${work.padEnd(8)} ${processing[backendFieldOf(work)] ?? '-'}`)
  console.log(`from     ${processing.emailFrom ?? '-'}`)
}

function rowOf({ id, name, host, user, hasPassword, path, attachedTo }: Service) {
  return {
    id,
    name,
    host,
    user,
    password: hasPassword ? 'set' : null,
    path,
    'attached to': attachedTo.join(', ') || null,
  }
}

async function set(flags: SetFlags): Promise<void> {
  const { name, id, host, user, path, json } = flags
  const environment = loadServer(processSources({ config: flags.config })).servicePassword
  const password = await readSecret({ given: flags.password, prompt: flags.passwordPrompt, environment })
  const given = { id, host: host ?? undefined, user, password, path }
  const fields = Object.fromEntries(
    Object.entries(given).flatMap(([field, value]) =>
      value === undefined ? [] : [[field, value === '' ? null : value]],
    ),
  )
  const saved = await callServer(flags, client => client.services.upsert({ name, ...fields }))
  console.log(json ? JSON.stringify(saved) : `service ${saved.id} (${saved.name}) of org ${saved.orgName} is stored`)
}

async function assign(work: ServiceFunction, { name, none, from, ...flags }: BackendFlags): Promise<void> {
  if (name !== undefined && none) throw new ConfigError(['give -n or -N, not both'])
  const field = backendFieldOf(work)
  const change = {
    ...((name !== undefined || none) && { [field]: none ? null : name }),
    ...(from !== undefined && { emailFrom: from === '' ? null : from }),
  }
  const isChange = Object.keys(change).length > 0
  const now = await callServer(flags, client =>
    isChange ? client.processing.update(change) : client.processing.get({}),
  )
  if (flags.json) return console.log(JSON.stringify(now))
  const mail = work === 'email' ? `, from ${now.emailFrom ?? 'nobody'}` : ''
  console.log(`org ${now.orgName} uses ${now[field] ?? 'nothing'} for ${work}${mail}`)
}

async function check(flags: PickFlags): Promise<void> {
  const found = await callServer(flags, async client => client.services.check({ id: (await pick(client, flags)).id }))
  console.log(flags.json ? JSON.stringify(found) : found.message)
  if (!found.ok) process.exitCode = 1
}

async function remove(flags: PickFlags): Promise<void> {
  await callServer(flags, async client => {
    const { id, name, orgName } = await pick(client, flags)
    if (!(await confirm(`delete the service ${id} (${name}) of org ${orgName}?`, flags.yes))) {
      return console.error('nothing was changed')
    }
    const gone = await client.services.delete({ id })
    console.log(flags.json ? JSON.stringify(gone) : `service ${id} (${name}) is deleted`)
  })
}

/** The one of that id, else the latest of that name. @throws Error that says which service there is not */
async function pick(client: Client, { id, name }: PickFlags): Promise<Service> {
  if (id !== undefined) return client.services.get({ id })
  if (name === undefined) throw new ConfigError(['say which: -n NAME or -i ID'])
  const all = await readAll(page => client.services.list(page))
  const latest = all.findLast(service => service.name === name)
  if (!latest) throw new Error(`there is no service ${name}`)
  return latest
}
