/**
 * `posthorn serve`: one node, from its settings to its end.
 *
 *   starting ──▶ running ──SIGTERM, SIGINT──▶ stopping ──▶ exit 0
 *   starting ──SIGTERM, SIGINT──▶ exit 0        stopping ──second signal──▶ exit 128 + its number, at once
 *
 * What people read (where it listens, where the data is) goes to stderr; the log goes to stdout, one JSON object a line.
 */
import { constants } from 'node:os'
import { resolve } from 'node:path'
import type { Config } from '@posthorn/contract'
import type { Command } from 'commander'
import { pino } from 'pino'
import { loadConfig, processSources, redactConfig } from '../config.ts'
import type { Log } from '../log.ts'
import { tendHeap } from './heap.ts'
import { type Flags, withSettings } from './settings.ts'

export interface RunningNode {
  readonly url: string
  stop(): Promise<void>
}

export type StartNode = (config: Config, log: Log) => Promise<RunningNode>

/** A terminal's Ctrl-C reaches us directly and once more through npm: that is one wish, not two. */
const SAME_WISH_MS = 500

export function serveCommand(startNode: StartNode): Command {
  return withSettings('serve')
    .summary('run a node')
    .description('Runs a node: answers callers, delivers messages, or both. It prepares the database by itself.')
    .action((flags: Flags) => serve(flags, startNode))
}

async function serve(flags: Flags, startNode: StartNode): Promise<void> {
  tendHeap()
  const config = loadConfig(processSources(flags))
  const log = pino({ level: config.logLevel })
  const stopAsked = untilStopped()
  log.info({ config: redactConfig(config) }, 'starting')
  const node = await Promise.race([startNode(config, log), stopAsked])
  if (typeof node === 'string') process.exit(0) // nothing was promised to anybody yet
  announce(node.url, config)
  const signal = await stopAsked
  log.info({ signal }, 'stopping')
  await node.stop()
  log.info({}, 'stopped')
  process.exit(0)
}

function announce(url: string, config: Config): void {
  const { databaseUrl } = redactConfig(config)
  const isAddress = String(databaseUrl).includes('://')
  const server = `${isAddress ? databaseUrl : 'PostgreSQL'}, schema ${config.databaseSchema}`
  console.error(`posthorn listens on ${url}`)
  console.error(`posthorn keeps its data in ${config.databaseUrl === null ? resolve(config.dataDir) : server}`)
}

/** Resolves at the first signal to stop; the second ends the process at once. */
function untilStopped(): Promise<NodeJS.Signals> {
  return new Promise(stop => {
    let askedAt: number | undefined
    const asked = (signal: NodeJS.Signals): void => {
      const now = performance.now()
      if (askedAt === undefined) stop(signal)
      else if (now - askedAt > SAME_WISH_MS) process.exit(128 + constants.signals[signal])
      askedAt ??= now
    }
    process.on('SIGTERM', asked).on('SIGINT', asked)
  })
}
