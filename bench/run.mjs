/**
 * `npm run bench`: Posthorn and its peers, side by side, in one run on one machine.
 *
 * What is quick or only a part is shown and left in .posthorn/bench/; a full run is kept in bench/results/, and written to
 * docs/reference/performance.md.
 */
import { parseOptions } from './options.mjs'
import { prepare } from './prepare.mjs'

const options = parseOptions(process.argv.slice(2))
await prepare()
const { runBench } = await import('./bench.mjs')
process.exitCode = await runBench(options)
