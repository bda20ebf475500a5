/** One run: the rounds, each with every scenario, each with every contender that is there, in an order that turns. */
import { existsSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { duration, say } from '../scripts/say.mjs'
import { describeMachine } from './machine.mjs'
import { openPlace } from './place.mjs'
import { faultsOf, mediansOf } from './report/medians.mjs'
import { present } from './report/present.mjs'
import { deadQueue } from './scenarios/dead-queue.mjs'
import { drain } from './scenarios/drain.mjs'
import { fanOut } from './scenarios/fan-out.mjs'
import { hanging } from './scenarios/hanging.mjs'
import { latency } from './scenarios/latency.mjs'
import { manyQueues } from './scenarios/many-queues.mjs'
import { nodes } from './scenarios/nodes.mjs'
import { put } from './scenarios/put.mjs'
import { size } from './scenarios/size.mjs'
import { measureSink } from './sink/open.mjs'

const SCENARIOS = [drain, put, latency, fanOut, deadQueue, hanging, nodes, size, manyQueues]

/** Gives the exit code: 1 if a message was lost, or a part of the run failed. */
export async function runBench(options) {
  const start = performance.now()
  const node = options.node ?? findNode()
  if (options.profile) mkdirSync(options.profile, { recursive: true })
  const place = await openPlace({ node, profile: options.profile })
  stopWhenAsked(place)
  try {
    const { names, absent } = whoTakesPart(place, options)
    const sinkRate = await measureSink(place.sink)
    const machine = await describeMachine(place, { node, sinkRate })
    const rows = []
    const failures = []
    for (let round = 1; round <= options.scale.rounds; round++) {
      for (const scenario of SCENARIOS.filter(({ name }) => options.only.includes(name))) {
        if (scenario.once && round > 1) continue
        const contenders = turn(
          scenario.contenders.filter(name => names.includes(name)),
          round - 1,
        )
        await runScenario({ scenario, contenders, round, place, scale: options.scale, rows, failures })
      }
    }
    const faults = [...failures, ...faultsOf(rows)]
    const took = duration(performance.now() - start)
    present({ options, machine, absent, rows, medians: mediansOf(rows), faults, took })
    return faults.length === 0 ? 0 : 1
  } finally {
    await place.stop()
  }
}

async function runScenario({ scenario, contenders, round, place, scale, rows, failures }) {
  if (contenders.length === 0) return
  const row = (contender, kind, figures) => {
    rows.push({ scenario: scenario.name, contender, kind, round, figures })
    say(`  ${scenario.name} · ${contender} · ${kind}: ${brief(figures)}`)
  }
  const start = performance.now()
  for (const contender of contenders) {
    try {
      await scenario.run({ place, scale, contender, row })
    } catch (error) {
      failures.push(`${scenario.name}, ${contender}: ${error.message}`)
      say(`bench: ${scenario.name}, ${contender} FAILED: ${error.stack}`)
    }
  }
  say(`bench: round ${round}, ${scenario.name}: ${duration(performance.now() - start)}`)
}

function whoTakesPart(place, options) {
  const absent = []
  const names = options.contenders.filter(name => {
    const obstacle = place.obstacle(name)
    if (obstacle === null) return true
    absent.push({ name, obstacle })
    say(`bench: ${name} DOES NOT TAKE PART: ${obstacle}`)
    return false
  })
  return { names, absent }
}

/** Every contender goes first once. */
function turn(names, by) {
  const at = by % Math.max(1, names.length)
  return [...names.slice(at), ...names.slice(0, at)]
}

/** All contenders run on one Node: the installed one, because some peers refuse an older one than theirs. */
function findNode() {
  const path = fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, import.meta.url))
  if (!existsSync(path)) say(`bench: there is no ${path}; running on ${process.version}, which some peers may refuse`)
  return existsSync(path) ? path : process.execPath
}

function brief(figures) {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4)).toLocaleString('en')}`)
    .join(', ')
}

function stopWhenAsked(place) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await place.stop().catch(() => {})
      process.exit(130)
    })
  }
}
