/**
 * `npm run check`: everything that can be judged without running the server. All checks run even if one fails, two at a
 * time once it is built; a line each, with its time, and what a failed one said below it.
 */
import { existsSync, readdirSync } from 'node:fs'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { root, run, runTool } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

const AT_ONCE = 2
const CHECKS = [
  ['types', () => runTool('typescript/bin/tsc', ['-p', `${root}tsconfig.json`], { capture: true })],
  [
    'lint and format',
    () =>
      runTool('@biomejs/biome/bin/biome', ['ci', '--colors=off', '--diagnostic-level=warn', '.'], { capture: true }),
  ],
  [
    'house rules',
    () => runTool('vitest/vitest.mjs', ['run', '--project=units', 'test/house', '--reporter=dot'], { capture: true }),
  ],
  ['nothing unused', () => runTool('knip/bin/knip.js', [], { capture: true })],
  ['docs in step', checkDocs],
  ['examples', checkExamples],
]

await install()
const failed = []
await judge('build', checkBuild)
const left = CHECKS.values()
await Promise.all(Array.from({ length: AT_ONCE }, judgeInTurn))
if (failed.length > 0) giveUp(`failed: ${failed.join(', ')}`)
say('posthorn: all checks hold')

async function judgeInTurn() {
  for (const [name, check] of left) await judge(name, check)
}

async function judge(name, check) {
  const start = performance.now()
  const { code, output } = await check()
  say(`${code === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(16)} ${duration(performance.now() - start)}`)
  if (code === 0) return
  failed.push(name)
  say(output.replace(/^/gm, '       '))
}

async function checkBuild() {
  return (await build()) ? { code: 0, output: '' } : { code: 1, output: 'What the compiler found stands above.' }
}

/** What is generated from the contract (reference pages, the client's types) is what the generator would write now. */
async function checkDocs() {
  const generator = `${root}scripts/docs.mjs`
  return existsSync(generator)
    ? run(process.execPath, [generator, '--check'], { capture: true })
    : { code: 0, output: '' }
}

/** Every example is a program that ends by itself, with 0 if what it shows came true. */
async function checkExamples() {
  let output = ''
  let code = 0
  const folder = `${root}examples`
  const examples = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.mjs')) : []
  for (const example of examples.sort()) {
    const result = await run(process.execPath, [`${folder}/${example}`], { capture: true })
    if (result.code === 0) continue
    code = 1
    output += `${example} ended with ${result.code}\n${result.output}\n`
  }
  return { code, output }
}
