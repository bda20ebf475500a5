/**
 * Does what the README says, on a fresh clone, word for word: its first shell block starts Posthorn, its second makes the
 * first webhook arrive. With `--user <name>` (as root only) all of it runs as that user, with an empty home.
 *
 * The ports are the README's own, so nothing else may listen there.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanEnvironment } from './clean-environment.mjs'
import { root } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

const LIMIT_MS = 60_000
/** Longer than the limit: how much too slow it is should be told. */
const PATIENCE_MS = 3 * LIMIT_MS
const user = process.argv[2] === '--user' ? process.argv[3] : undefined
const [startBlock, webhookBlock] = shellBlocks(readFileSync(join(root, 'README.md'), 'utf8'))

const place = mkdtempSync(join(tmpdir(), 'posthorn-clone-'))
const clone = join(place, 'posthorn')
const children = []
let failure
try {
  prepare()
  const start = performance.now()
  const server = await startInClone(commandsAfterClone(startBlock), /listens on (\S+)/)
  say(`server: listening after ${duration(performance.now() - start)}`)
  if (!/data/.test(server.output)) throw new Error('it did not say where the data is')
  await startInClone(webhookBlock, /\{"hello":"world"\}\s*$/m)
  const took = performance.now() - start
  say(`first webhook after ${duration(took)}${user ? ` as ${user}` : ''}`)
  if (took > LIMIT_MS) throw new Error(`that is over ${duration(LIMIT_MS)}`)
} catch (error) {
  failure = error
}
await Promise.all(children.map(stop))
rmSync(place, { recursive: true, force: true })
if (failure) giveUp(failure.message)

/** The contents of ```sh blocks, in their order. */
function shellBlocks(markdown) {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(match => match[1])
}

/** The clone is made here, from this working copy's last commit. */
function commandsAfterClone(block) {
  return block.replace(/^git clone .*$/m, '')
}

function prepare() {
  chmodSync(place, 0o755)
  const home = join(place, 'home')
  mkdirSync(home)
  const steps = [['git', 'clone', '--quiet', '--no-hardlinks', root, clone]]
  if (user) steps.push(['chown', '-R', `${user}:`, place])
  for (const [program, ...args] of steps) {
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${program}: ${stderr}`)
  }
}

/** Runs a block of shell in the clone until what it prints matches, and leaves it running. */
function startInClone(block, expected) {
  const command = ['bash', '-ec', block]
  const [program, ...args] = user
    ? ['setpriv', `--reuid=${user}`, '--regid=65534', '--clear-groups', ...command]
    : command
  const child = spawn(program, args, {
    cwd: clone,
    env: cleanEnvironment(user && join(place, 'home')),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms:\n${output}`)), PATIENCE_MS)
    const look = chunk => {
      output += chunk
      if (!expected.test(output)) return
      clearTimeout(timer)
      resolve({ output })
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.on('exit', code => code && reject(new Error(`it ended with ${code}:\n${output}`)))
  })
}

/** Each block has a process group of its own, so that what it left in the background ends with it. */
function stop(child) {
  const group = -child.pid
  return new Promise(resolve => {
    const gone = () => {
      try {
        process.kill(group, 0)
        return false
      } catch {
        return true
      }
    }
    if (gone()) return resolve()
    process.kill(group, 'SIGTERM')
    const deadline = Date.now() + 10_000
    const timer = setInterval(() => {
      if (!gone() && Date.now() < deadline) return
      clearInterval(timer)
      if (!gone()) process.kill(group, 'SIGKILL')
      resolve()
    }, 50)
  })
}
