/** `npm test`: installs and builds what is missing (the stories start real processes), then runs all tests, or those named. */
import { build } from './build.mjs'
import { install } from './install.mjs'
import { runTool } from './run.mjs'
import { giveUp } from './say.mjs'

await install()
if (!(await build({ quick: true }))) giveUp('the build failed; what the compiler found stands above.')
const { code } = await runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)])
process.exitCode = code
