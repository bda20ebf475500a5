/**
 * `npm start`: installs and builds what is missing, then becomes the server.
 *
 * The server runs in this very process, so signals reach it and its exit code is ours. Arguments go to `posthorn serve`:
 * `npm start -- --port 4000`.
 */
import { build } from './build.mjs'
import { install } from './install.mjs'
import { root } from './run.mjs'
import { giveUp } from './say.mjs'

await install()
if (!(await build({ quick: true }))) giveUp('the build failed; what the compiler found stands above.')
process.argv = [process.execPath, `${root}packages/server/bin/posthorn.mjs`, 'serve', ...process.argv.slice(2)]
await import('../packages/server/bin/posthorn.mjs')
