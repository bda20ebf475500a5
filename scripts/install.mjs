/** Installs what package-lock.json names, if that has not been done since it last changed. */
import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { root, runNpm } from './run.mjs'
import { duration, giveUp, say } from './say.mjs'

const FLOOR = [20, 19]
/** npm writes both files at the end of one install, in either order. */
const SAME_INSTALL_MS = 5_000

/** @returns {Promise<boolean>} whether anything had to be installed */
export async function install() {
  checkNode()
  if (isInstalled()) return false
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    giveUp('node_modules is a link, and npm ci would empty the folder behind it. Remove the link, or install there.')
  }
  if (!isWritable(root)) {
    giveUp(
      `${root} is not writable for ${userInfo().username}. Run "npm ci && npm run build" once as its owner, then start again.`,
    )
  }
  say('posthorn: installing dependencies (once) …')
  const start = performance.now()
  const { code } = await runNpm([
    'ci',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--no-update-notifier',
    ...cacheOption(),
  ])
  if (code !== 0) giveUp(`npm ci failed (exit code ${code}); what it said stands above.`, code)
  say(`posthorn: installed in ${duration(performance.now() - start)}`)
  return true
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])) return
  giveUp(`Node ${FLOOR.join('.')} or newer is needed; this is ${process.versions.node} (${process.execPath}).`)
}

/** npm writes node_modules/.package-lock.json last, so an install that was interrupted counts as none. */
function isInstalled() {
  const installed = changedAt(join(root, 'node_modules/.package-lock.json'))
  return installed !== undefined && installed + SAME_INSTALL_MS > changedAt(join(root, 'package-lock.json'))
}

function changedAt(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A service user often has a home it cannot write to, where npm wants its cache: then one below the temporary folder. */
function cacheOption() {
  if (process.env.npm_config_cache && isWritable(nearestExisting(process.env.npm_config_cache))) return []
  if (isWritable(homedir())) return []
  const cache = join(tmpdir(), `posthorn-npm-${userInfo().uid}`)
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  return ['--cache', cache]
}

function nearestExisting(path) {
  while (changedAt(path) === undefined && path !== join(path, '..')) path = join(path, '..')
  return path
}
