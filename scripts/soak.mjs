/**
 * `npm run soak`: the fault stories in full, and the page with their figures, docs/reference/reliability.md. With names,
 * `npm run soak -- kills takeover`, only these; the page keeps the figures of the others, and says of each when it was run.
 *
 * A story's figures are taken over only if it held. Variables that are set already win, so that a part can be tried.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { root, runTool } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

const STORIES = 'packages/server/test/stories'
const ENGINE = 'packages/server/src/engine/postgres'
const PARTS = {
  kills: { file: `${STORIES}/kills.test.ts`, env: { STORY_KILLS: '100' } },
  takeover: { file: `${STORIES}/takeover.test.ts`, env: { STORY_ROUNDS: '20' } },
  membership: { file: `${STORIES}/membership.test.ts`, env: { STORY_BURSTS: '20', STORY_ROUNDS: '20' } },
  isolation: { file: `${STORIES}/isolation.test.ts`, env: { STORY_BACKLOG: '10000' } },
  import: { file: `${STORIES}/import.test.ts`, env: { STORY_IMPORT: '100000' } },
  leader: { file: `${STORIES}/leader.test.ts`, env: {} },
  simulation: { file: 'packages/server/test/simulation', env: { SIMULATION_SEEDS: '10000' } },
  'late-commit': { file: `${ENGINE}/late-commit.test.ts`, env: { LATE_COMMIT_MS: '60000' } },
  'head-loader': { file: `${ENGINE}/head-loader.test.ts`, env: { HEAD_LOADER_ROWS: '6000000' } },
}
const PAGE = join(root, 'docs/reference/reliability.md')
const FIGURES = join(root, 'docs/reference/reliability.json')

const names = process.argv.slice(2)
const unknown = names.find(name => !(name in PARTS))
if (unknown) giveUp(`there is no "${unknown}" to soak; there are ${Object.keys(PARTS).join(', ')}.`, 2)
await install()
if (!(await build({ quick: true }))) giveUp('the build failed; what the compiler found stands above.')
const failed = []
for (const name of names.length > 0 ? names : Object.keys(PARTS)) if (!(await soak(name))) failed.push(name)
if (failed.length > 0) giveUp(`did not hold: ${failed.join(', ')}; their figures are left as they were.`)

/** Runs one part and, if it held, writes its figures down. */
async function soak(name) {
  const { file, env } = PARTS[name]
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-soak-'))
  const told = join(folder, 'figures')
  const start = performance.now()
  say(`posthorn: soaking ${name} …`)
  const { code } = await runTool('vitest/vitest.mjs', ['run', '--reporter=verbose', '--testTimeout=7200000', file], {
    env: { ...env, ...process.env, STORY_MEASURED: told },
  })
  const stories = existsSync(told)
    ? readFileSync(told, 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    : []
  rmSync(folder, { recursive: true, force: true })
  if (code === 0)
    keep(name, { day: new Date().toISOString().slice(0, 10), took: duration(performance.now() - start), stories })
  return code === 0
}

function keep(name, result) {
  const figures = existsSync(FIGURES) ? JSON.parse(readFileSync(FIGURES, 'utf8')) : {}
  figures[name] = { ...result, machine: machine() }
  const ordered = Object.fromEntries(Object.keys(PARTS).flatMap(part => (figures[part] ? [[part, figures[part]]] : [])))
  writeFileSync(FIGURES, `${JSON.stringify(ordered, null, 2)}\n`)
  writeFileSync(PAGE, page(ordered))
  say(`posthorn: wrote the figures of ${name} to ${PAGE}`)
}

function machine() {
  return `${cpus().length} cores (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`
}

function page(parts) {
  const rows = Object.entries(parts).flatMap(([name, { day, took, stories }]) =>
    stories.map(({ story, figures }) => {
      const text = Object.entries(figures).map(([what, value]) => `${what}: ${format(value)}`)
      return `| ${story} | ${text.join(' · ')} | \`${name}\`, ${day}, ${took} |`
    }),
  )
  const machines = [...new Set(Object.values(parts).map(part => part.machine))]
  return `# Reliability, measured

Written by \`npm run soak\`: the stories of \`packages/server/test/stories/\`, the simulation and two tests of the engine, in
full, on ${machines.join('; ')}. Each fails if an acknowledged message is lost, if one is delivered twice that no fault
caught in flight, or if an ordered queue loses its order; the figures say how much was tried and how long it took.

| story | figures | run |
|---|---|---|
${rows.join('\n')}
`
}

function format(value) {
  return typeof value === 'number' ? value.toLocaleString('en') : value
}
