/** `npm run dev`: builds and restarts the server whenever a source changes. A build that fails leaves the old one running. */
import { spawn } from 'node:child_process'
import { existsSync, watch } from 'node:fs'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { root } from './run.mjs'
import { say } from './say.mjs'

/** Editors and git write several files at once. */
const SETTLE_MS = 150

let server
let rebuilding = Promise.resolve()
let timer

await install()
rebuild()
for (const name of ['contract', 'client', 'server']) {
  const source = `${root}packages/${name}/src`
  if (existsSync(source)) watch(source, { recursive: true }, schedule)
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopServer().then(() => process.exit(0)))

function schedule() {
  clearTimeout(timer)
  timer = setTimeout(rebuild, SETTLE_MS)
}

function rebuild() {
  rebuilding = rebuilding.then(async () => {
    if (!(await build())) return say('posthorn: the build failed; waiting for the next change')
    await stopServer()
    server = spawn(process.execPath, [`${root}packages/server/bin/posthorn.mjs`, 'serve', ...process.argv.slice(2)], {
      stdio: 'inherit',
    })
  })
}

function stopServer() {
  if (!server || server.exitCode !== null || server.signalCode !== null) return Promise.resolve()
  return new Promise(resolve => {
    server.once('exit', resolve)
    server.kill('SIGTERM')
  })
}
