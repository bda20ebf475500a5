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
const BUILD_INFO = '.tsbuildinfo'

/**
 * Builds all packages, or only some. `quick` writes the programs alone, without looking for type errors and without
 * declarations: it takes less than half the time, and a fresh clone needs no more to run.
 *
 * @returns {Promise<boolean>} false if the compiler found errors, which it has printed
 */
export async function build({ only = STAGES.flat(), quick = false } = {}) {
  const start = performance.now()
  const wanted = stampAll().filter(({ name }) => only.includes(name))
  const stale = wanted.filter(({ dist, stamp }) => !isFresh(readIfThere(join(dist, STAMP)), stamp, quick))
  if (stale.length === 0) return true
  say(`posthorn: building ${stale.map(({ name }) => name).join(', ')} …`)
  // Unchecked, no package needs another's declarations.
  const stages = quick ? [STAGES.flat()] : STAGES
  for (const stage of stages) {
    const built = await Promise.all(stale.filter(({ name }) => stage.includes(name)).map(pack => compile(pack, quick)))
    if (built.includes(false)) return false
  }
  say(`posthorn: built in ${duration(performance.now() - start)}`)
  return true
}

/** A package's stamp covers those of the packages that it may import. */
function stampAll() {
  let before = ''
  return STAGES.flatMap(stage => {
    const packs = stage.map(name => {
      const home = join(root, 'packages', name)
      const sources = listFiles(join(home, 'src'))
      return { name, home, dist: join(home, 'dist'), sources, stamp: stampOf(home, sources, before) }
    })
    before += packs.map(({ stamp }) => stamp).join()
    return packs
  })
}

/** What was built in full also serves where a quick build would do. */
function isFresh(found, stamp, quick) {
  return found === stamp || (quick && found === `quick ${stamp}`)
}

async function compile({ home, dist, sources, stamp }, quick) {
  rmSync(join(dist, STAMP), { force: true })
  // What the compiler remembers of its own last output is wrong once a quick build has written over it.
  if (quick) rmSync(join(dist, BUILD_INFO), { force: true })
  const how = quick
    ? ['--noCheck', '--declaration', 'false']
    : ['--incremental', '--tsBuildInfoFile', join(dist, BUILD_INFO)]
  const { code } = await runTool('typescript/bin/tsc', ['-p', join(home, 'tsconfig.json'), '--pretty', ...how])
  if (code !== 0) return false
  copyOthers(home, sources)
  removeOrphans(home)
  writeFileSync(join(dist, STAMP), quick ? `quick ${stamp}` : stamp)
  return true
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
    if (inside === STAMP || inside === BUILD_INFO) continue
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
  if (!(await build({ quick: process.argv.includes('--quick') })))
    giveUp('the build failed; what the compiler found stands above.')
}
