import { Command, InvalidArgumentError, Option } from 'commander'
import { DEFAULT_PORT, startTarget, type TargetRequest } from './receiver.ts'

interface Flags {
  readonly port: number
  readonly host: string
  readonly status: readonly number[]
  readonly delay?: number
  readonly failEvery?: number
  readonly hang?: boolean
  readonly secret?: string
  readonly quiet?: boolean
}

/** Of a body no more is shown than fits a terminal. */
const SHOWN_BODY = 2000
/** What every HTTP client sends, and what is shown in words instead. */
const DULL_HEADERS = new Set([
  ...['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'accept', 'accept-encoding'],
  ...['accept-language', 'sec-fetch-mode', 'webhook-id', 'webhook-signature'],
])
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 }

export function targetCommand(): Command {
  return new Command('target')
    .summary('receive webhooks here and show them')
    .description('Starts a local receiver that prints what arrives, and answers as you tell it.')
    .addOption(
      new Option('--port <number>', 'where to listen; 0 takes a free port').default(DEFAULT_PORT).argParser(readPort),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .addOption(
      new Option('--status <codes>', 'answer with this status, or with several in turn: 500,200')
        .argParser(readStatuses)
        .default([200], '200'),
    )
    .addOption(new Option('--delay <time>', 'wait before answering: 250ms, 2s, 1m').argParser(readDuration))
    .addOption(new Option('--fail-every <n>', 'answer every n-th request with 500').argParser(readCount))
    .option('--hang', 'take requests and never answer')
    .option('--secret <whsec_…>', 'check signatures with this secret; a wrong one is answered 401')
    .option('--quiet', 'print one line a second with the rate, instead of every request')
    .action(runTarget)
}

async function runTarget(flags: Flags): Promise<void> {
  const { port, host, status, delay, failEvery, hang, secret, quiet } = flags
  const target = await startTarget({
    port,
    host,
    statuses: status,
    ...(delay !== undefined && { delayMs: delay }),
    ...(failEvery !== undefined && { failEvery }),
    ...(hang !== undefined && { hang }),
    ...(secret !== undefined && { secret }),
    ...(!quiet && { seen: request => console.log(describe(request)) }),
  })
  console.log(`posthorn target listens on ${target.url}`)
  const rate = quiet ? startRateLine(() => target.count) : undefined
  const stop = (): void => {
    clearInterval(rate)
    target.stop().then(() => console.log(`${target.count} requests`))
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
}

/** One request as a person reads it. */
export function describe(request: TargetRequest): string {
  const { method, path, headers, body, signature, status } = request
  const id = headers['webhook-id']
  const title = [`${method} ${path}`, ...(id ? [String(id)] : []), status === null ? '→ (hangs)' : `→ ${status}`]
  const lines = Object.entries(headers)
    .filter(([name]) => !DULL_HEADERS.has(name))
    .map(([name, value]) => `${name}: ${value}`)
  if (signature !== null) lines.push(`signature: ${signature}`)
  return [title.join('  '), ...lines.map(line => `  ${line}`), ...describeBody(body)].join('\n')
}

function describeBody(body: Buffer): string[] {
  if (body.length === 0) return []
  const text = body.toString('utf8')
  if (!Buffer.from(text).equals(body)) return [`  (${body.length} bytes that are not text)`]
  const more = text.length > SHOWN_BODY ? `… (${body.length} bytes)` : ''
  return [`  ${text.slice(0, SHOWN_BODY)}${more}`]
}

function startRateLine(count: () => number): NodeJS.Timeout {
  let before = 0
  return setInterval(() => {
    const now = count()
    if (now !== before) console.log(`${now - before} requests/s, ${now} in all`)
    before = now
  }, 1000)
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('must be a number from 0 to 65535')
  return port
}

function readCount(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1')
  return Number(text)
}

function readStatuses(text: string): number[] {
  const codes = text.split(',').map(Number)
  if (codes.some(code => !Number.isInteger(code) || code < 200 || code > 599)) {
    throw new InvalidArgumentError('must be statuses from 200 to 599, separated by commas')
  }
  return codes
}

/** `250ms`, `2s`, `1m` in milliseconds. */
export function readDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? []
  const scale = UNITS_MS[unit]
  if (amount === undefined || scale === undefined)
    throw new InvalidArgumentError('must be a time such as 250ms, 2s or 1m')
  return Number(amount) * scale
}
