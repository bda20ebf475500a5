/** What a run needs: the peers and the newer Node installed beside it, and Posthorn built. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from '../scripts/build.mjs'
import { install } from '../scripts/install.mjs'
import { root, runNpm } from '../scripts/run.mjs'
import { giveUp, say } from '../scripts/say.mjs'

const HERE = join(root, 'bench')
/** Not `ci`, which refuses a lock that lacks optional binaries of platforms that are not this one. */
const INSTALL = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier']
const SAME_INSTALL_MS = 5_000

export async function prepare() {
  if (process.platform !== 'linux') giveUp('the bench reads CPU times from /proc: it runs on Linux only.')
  await install()
  const installed = changedAt('node_modules/.package-lock.json')
  if (!(installed + SAME_INSTALL_MS > changedAt('package-lock.json'))) {
    say('bench: installing the peers (once) …')
    const { code } = await runNpm(INSTALL, { cwd: HERE })
    if (code !== 0) giveUp(`npm install failed in bench/ (exit code ${code}); what it said stands above.`, code)
  }
  if (!(await build({ quick: true }))) {
    giveUp('the build failed; what the compiler found stands above.')
  }
}

function changedAt(name) {
  return statSync(join(HERE, name), { throwIfNoEntry: false })?.mtimeMs
}
