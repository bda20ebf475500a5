/** `posthorn workers`: what runs, where and since when; and starting and stopping it, over HTTP. */
import type { Client, Worker } from '@posthorn/client'
import { serviceFunctions } from '@posthorn/contract'
import { Argument, Command } from 'commander'
import { callServer, type RemoteFlags, readAll, remoteOf } from './remote.ts'
import { printTable } from './table.ts'

type Verb = 'start' | 'stop' | 'restart'
const DONE: Readonly<Record<Verb, string>> = { start: 'started', stop: 'stopped', restart: 'started anew' }

export function workersCommand(): Command {
  return new Command('workers')
    .summary('list, start and stop the workers of an org')
    .addCommand(remoteOf('list').summary('list workers: what runs, where, since when, and how it does').action(list), {
      isDefault: true,
    })
    .addCommand(actCommand('start', 'start workers that were stopped'))
    .addCommand(actCommand('stop', 'stop workers; their queues still take messages, and keep them'))
    .addCommand(actCommand('restart', 'start workers anew, with new connections'))
}

function actCommand(verb: Verb, summary: string): Command {
  return remoteOf(verb)
    .summary(summary)
    .addArgument(new Argument('[function]', 'which one; without it, all of the org').choices(serviceFunctions))
    .action((work: string | undefined, flags: RemoteFlags) => act(verb, work, flags))
}

async function list(flags: RemoteFlags): Promise<void> {
  const workers = await callServer(flags, readWorkers)
  if (flags.json) return console.log(JSON.stringify(workers))
  console.log(
    workers.length > 0
      ? printTable(workers.map(rowOf))
      : 'no worker: attach a service first, with posthorn service:email',
  )
}

const readWorkers = (client: Client): Promise<Worker[]> => readAll(page => client.workers.list(page))

function rowOf({ orgName, function: work, state, service, system, node, since, waiting, inFlight, lastError }: Worker) {
  return {
    ...{ org: orgName, function: work, state, service: system ? `${service ?? '-'} (SYSTEM)` : service, node, since },
    ...{ waiting, 'in flight': inFlight, 'last error': lastError },
  }
}

async function act(verb: Verb, work: string | undefined, flags: RemoteFlags): Promise<void> {
  const changed = await callServer(flags, async client => {
    const chosen = (await readWorkers(client)).filter(worker => work === undefined || worker.function === work)
    if (chosen.length === 0)
      throw new Error(work === undefined ? 'there is no worker' : `there is no worker for ${work}`)
    return Promise.all(chosen.map(({ id }) => client.workers[verb]({ id })))
  })
  if (flags.json) return console.log(JSON.stringify(changed))
  for (const { orgName, function: name } of changed)
    console.log(`the worker for ${name} of org ${orgName} is ${DONE[verb]}`)
}
