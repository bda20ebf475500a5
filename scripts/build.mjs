/**
 * Compiles the packages into their `dist` folders, in the order in which they need each other.
 *
 * A package is compiled when anything it is made from differs from what its stamp says (path, size and time of every
 * source), so a build that has nothing to do costs milliseconds. What is in `src` and is no TypeScript (statements in
 * .sql) is copied beside the compiled files, and what no longer has a source is removed.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './install.mjs'
import { root, runTool } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

/** Each stage is compiled at once; a later one may import an earlier one. */
const STAGES = [['contract', 'client'], ['server']]
const SHARED_SOURCES = ['tsconfig.base.json', 'package-lock.json']
const STAMP = '.built'

/**
 * Builds all packages, or only some.
 * @returns {Promise<boolean>} false if the compiler found errors, which it has printed
 */
export async function build(only = STAGES.flat()) {
  const start = performance.now()
  let before = ''
  let compiled = 0
  for (const stage of STAGES) {
    const built = await Promise.all(stage.filter(name => only.includes(name)).map(name => buildPackage(name, before)))
    if (built.some(result => result.failed)) return false
    compiled += built.filter(result => result.compiled).length
    before += built.map(result => result.stamp).join()
  }
  if (compiled > 0) say(`posthorn: built in ${duration(performance.now() - start)}`)
  return true
}

async function buildPackage(name, before) {
  const home = join(root, 'packages', name)
  const dist = join(home, 'dist')
  const sources = listFiles(join(home, 'src'))
  if (sources.length === 0) return { stamp: '' }
  const stamp = stampOf(home, sources, before)
  if (readIfThere(join(dist, STAMP)) === stamp) return { stamp }
  say(`posthorn: building ${name} …`)
  rmSync(join(dist, STAMP), { force: true })
  const { code } = await runTool('typescript/bin/tsc', [
    '-p',
    join(home, 'tsconfig.json'),
    '--incremental',
    '--tsBuildInfoFile',
    join(dist, '.tsbuildinfo'),
    '--pretty',
  ])
  if (code !== 0) return { failed: true }
  copyOthers(home, sources)
  removeOrphans(home)
  writeFileSync(join(dist, STAMP), stamp)
  return { stamp, compiled: true }
}

function stampOf(home, sources, before) {
  const hash = createHash('sha256').update(before)
  const shared = SHARED_SOURCES.map(name => join(root, name))
  for (const path of [...shared, join(home, 'package.json'), join(home, 'tsconfig.json'), ...sources]) {
    const { size, mtimeMs } = statSync(path)
    hash.update(`${path} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function copyOthers(home, sources) {
  for (const source of sources.filter(path => !path.endsWith('.ts'))) {
    const copy = join(home, 'dist', source.slice(join(home, 'src').length))
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(source, copy)
  }
}

/** A renamed file must not live on in `dist`, where a package would ship it and an import still find it. */
function removeOrphans(home) {
  const dist = join(home, 'dist')
  for (const path of listFiles(dist)) {
    const inside = path.slice(dist.length + 1)
    if (inside === STAMP || inside.endsWith('.tsbuildinfo')) continue
    const stem = inside.replace(/(\.d\.ts|\.js)(\.map)?$/, '')
    if (!existsSync(join(home, 'src', inside)) && !existsSync(join(home, 'src', `${stem}.ts`))) rmSync(path)
  }
}

function listFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await install()
  if (!(await build())) giveUp('the build failed; what the compiler found stands above.')
}
