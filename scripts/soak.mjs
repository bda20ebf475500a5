/**
 * `npm run soak`: the fault stories in full, and the page with their figures, docs/reference/reliability.md.
 *
 * The page is written only if every story held. Variables that are set already win, so that a part can be tried.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { root, runTool } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

const FULL = {
  STORY_KILLS: '100',
  STORY_ROUNDS: '20',
  STORY_BACKLOG: '10000',
  STORY_BURSTS: '20',
  SIMULATION_SEEDS: '10000',
  LATE_COMMIT_MS: '60000',
  HEAD_LOADER_ROWS: '6000000',
}
const STORIES = ['packages/server/test/stories', 'simulation', 'late-commit', 'head-loader']
const PAGE = join(root, 'docs/reference/reliability.md')

await install()
if (!(await build({ quick: true }))) giveUp('the build failed; what the compiler found stands above.')
const folder = mkdtempSync(join(tmpdir(), 'posthorn-soak-'))
const figures = join(folder, 'figures')
const start = performance.now()
const { code } = await runTool(
  'vitest/vitest.mjs',
  ['run', '--reporter=verbose', '--testTimeout=7200000', ...STORIES],
  {
    env: { ...FULL, ...process.env, STORY_MEASURED: figures },
  },
)
const told = existsSync(figures)
  ? readFileSync(figures, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
  : []
told.push({
  story: 'simulation',
  figures: { seeds: process.env.SIMULATION_SEEDS ?? FULL.SIMULATION_SEEDS, violations: 0 },
})
rmSync(folder, { recursive: true, force: true })
if (code !== 0) giveUp('a story did not hold; the page of figures is left as it was.', code)
writeFileSync(PAGE, page(told, duration(performance.now() - start)))
say(`posthorn: wrote ${PAGE}`)

function page(stories, took) {
  const machine = `${cpus().length} cores (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.versions.node}`
  const rows = stories.map(({ story, figures }) => {
    const text = Object.entries(figures).map(([name, value]) => `${name}: ${format(value)}`)
    return `| ${story} | ${text.join(' · ')} |`
  })
  return `# Reliability, measured

Written by \`npm run soak\`: the stories of \`packages/server/test/stories/\` and the simulation in full, in ${took}, on
${machine}. Each story fails if an acknowledged message is lost, if one is delivered twice that no fault caught in flight,
or if an ordered queue loses its order; the figures say how much was tried and how long it took.

| story | figures |
|---|---|
${rows.join('\n')}
`
}

function format(value) {
  return typeof value === 'number' ? value.toLocaleString('en') : value
}
