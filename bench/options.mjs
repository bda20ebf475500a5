/** The command line of the bench, and how much of everything a run does. */
import { parseArgs } from 'node:util'
import { giveUp } from '../scripts/say.mjs'
import { CONTENDERS } from './contenders.mjs'

export const SCENARIO_NAMES = [
  'drain',
  'put',
  'latency',
  'fan-out',
  'dead-queue',
  'hanging',
  'nodes',
  'size',
  'many-queues',
]

const FULL = {
  rounds: 3,
  backlog: 100_000,
  warmUp: 30_000,
  putMs: 3000,
  bulk: 100_000,
  flowMs: 6000,
  maxMs: 4000,
  events: 30,
  dead: 10_000_000,
  hanging: 1000,
  active: 1000,
  restMs: 20_000,
  healthyMs: 12_000,
  slow: 50_000,
  largest: 1_000_000,
}
const QUICK = {
  rounds: 1,
  backlog: 20_000,
  warmUp: 5000,
  putMs: 300,
  bulk: 20_000,
  flowMs: 1000,
  maxMs: 700,
  events: 5,
  dead: 100_000,
  hanging: 1000,
  active: 50,
  restMs: 3000,
  healthyMs: 1000,
  slow: 4000,
  largest: 20_000,
}

const HELP = `npm run bench -- [options]

  --quick            everything smaller, one round: under three minutes
  --only a,b         these scenarios of ${SCENARIO_NAMES.join(', ')}
  --contenders a,b   these of ${CONTENDERS.map(({ name }) => name).join(', ')}
  --rounds n         interleaved rounds, of which the medians count (${FULL.rounds}, quick ${QUICK.rounds})
  --backlog n        messages to drain (${FULL.backlog}, quick ${QUICK.backlog})
  --dead n           messages that wait on the dead queue (${FULL.dead}, quick ${QUICK.dead})
  --node path        runs everything on this Node instead of the one that is installed here
  --profile folder   has Posthorn's processes write CPU profiles there
`

/** What was asked for. Ends the command with a sentence where that cannot be. */
export function parseOptions(args) {
  const values = read(args)
  if (values.help) {
    process.stdout.write(HELP)
    process.exit()
  }
  const scale = { ...(values.quick ? QUICK : FULL) }
  for (const name of ['rounds', 'backlog', 'dead'])
    if (values[name] !== undefined) scale[name] = wholeNumber(name, values)
  const only = chosen('only', values, SCENARIO_NAMES)
  const contenders = chosen(
    'contenders',
    values,
    CONTENDERS.map(({ name }) => name),
  )
  const isFull = Object.keys(values).length === 0
  return { scale, only, contenders, isFull, isQuick: values.quick ?? false, node: values.node, profile: values.profile }
}

function read(args) {
  const text = { type: 'string' }
  const options = { only: text, contenders: text, rounds: text, backlog: text, dead: text, node: text, profile: text }
  try {
    return parseArgs({ args, options: { ...options, quick: { type: 'boolean' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    return giveUp(`${error.message}\n\n${HELP}`)
  }
}

function wholeNumber(name, values) {
  const number = Number(values[name])
  if (!Number.isInteger(number) || number < 1) giveUp(`--${name} must be a whole number from 1 on, not ${values[name]}`)
  return number
}

function chosen(option, values, known) {
  if (values[option] === undefined) return known
  const names = values[option].split(',').map(name => name.trim())
  const unknown = names.find(name => !known.includes(name))
  if (unknown !== undefined) giveUp(`--${option}: ${unknown} is none of ${known.join(', ')}`)
  return known.filter(name => names.includes(name))
}
