/**
 * Packs the packages as they would be published, installs them in an empty folder, and runs what they bring: the command, a
 * node that prepares its database, and the library and the client as imports.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from './build.mjs'
import { cleanEnvironment } from './clean-environment.mjs'
import { install } from './install.mjs'
import { root, run } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

const PACKAGES = ['@posthorn/contract', '@posthorn/client', 'posthorn']
const place = mkdtempSync(join(tmpdir(), 'posthorn-packed-'))
const home = join(place, 'home')
const user = join(place, 'user')
let failure

await install()
if (!(await build())) giveUp('the build failed; what the compiler found stands above.')
try {
  const start = performance.now()
  for (const folder of [home, user]) mkdirSync(folder)
  await npm(['pack', '--silent', '--pack-destination', place, ...PACKAGES.map(name => `--workspace=${name}`)], root)
  const tarballs = readdirSync(place).filter(name => name.endsWith('.tgz'))
  if (tarballs.length !== PACKAGES.length) throw new Error(`packed ${tarballs.join(', ')}`)
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }')
  await npm(['install', '--no-audit', '--no-fund', '--omit=optional', ...tarballs.map(name => join(place, name))], user)
  for (const name of PACKAGES) refuseLitter(join(user, 'node_modules', name))
  await command(['node_modules/.bin/posthorn', '--version'])
  await command(['node_modules/.bin/posthorn', 'migrate', '--data-dir', join(user, 'data')])
  await command([
    process.execPath,
    '--input-type=module',
    '-e',
    `const names = [...Object.keys(await import('posthorn')), ...Object.keys(await import('@posthorn/client'))]
     for (const name of ['startNode', 'createClient']) if (!names.includes(name)) throw new Error(name + ' is missing from ' + names)`,
  ])
  say(`packed, installed and run in ${duration(performance.now() - start)}`)
} catch (error) {
  failure = error
}
rmSync(place, { recursive: true, force: true })
if (failure) giveUp(failure.message)

/** Sources, tests and what only a build needs are not published. */
function refuseLitter(folder) {
  const litter = readdirSync(folder, { recursive: true }).filter(
    path =>
      !path.startsWith('node_modules') && /(^|\/)(\.built|\.tsbuildinfo|src|test)$|\.test\.js$|\.suite\.js$/.test(path),
  )
  if (litter.length > 0) throw new Error(`${folder} has ${litter.join(', ')}`)
  if (!existsSync(join(folder, 'dist'))) throw new Error(`${folder} has no dist`)
}

function npm(args, cwd) {
  return command(['npm', ...args], cwd)
}

async function command([program, ...args], cwd = user) {
  const { code, output } = await run(program, args, { cwd, env: cleanEnvironment(home), capture: true })
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} ended with ${code}:\n${output}`)
}
