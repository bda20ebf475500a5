import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const HEAP = fileURLToPath(new URL('../../dist/cli/heap.js', import.meta.url))

/** Much of what this makes lives long enough to grow old, and is over soon after. */
const PROGRAM = `
  import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
  import { runInNewContext } from 'node:vm'
  import { tendHeap } from ${JSON.stringify(HEAP)}
  tendHeap()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const old = () => getHeapSpaceStatistics().find(space => space.space_name === 'old_space').space_used_size
  const make = count => Array.from({ length: count }, (_, i) => ({ i, some: [i], name: 'n' + i }))
  const kept = make(300_000)
  collect()
  const inUse = old()
  let most = 0
  let over = []
  for (let nth = 0; nth < 1000; nth++) {
    over.push(...make(2000))
    if (over.length > 50_000) over = over.slice(25_000)
    most = Math.max(most, old())
    await new Promise(resolve => setImmediate(resolve))
  }
  console.log(JSON.stringify({ inUse, most, kept: kept.length }))`

test('what is over does not pile up to a multiple of what is in use', async () => {
  // A process of its own: the bound is the whole process's.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', PROGRAM])
  expect(stderr).toBe('')
  const { inUse, most } = JSON.parse(stdout)
  expect(most).toBeGreaterThan(inUse)
  expect(most).toBeLessThan(2.7 * inUse)
})

/** Of what this makes, a little lives through collections all the time, for which V8 lets the young generation grow. */
const YOUNG = `
  import { getHeapSpaceStatistics } from 'node:v8'
  const { tendHeap } = await import(${JSON.stringify(HEAP)})
  if (process.argv.includes('tended')) tendHeap()
  const young = () => getHeapSpaceStatistics().find(space => space.space_name === 'new_space').space_size / 1_048_576
  const kept = []
  let most = 0
  for (let nth = 0; nth < 3_000_000; nth++) {
    kept[nth % 300_000] = { nth, some: [nth] }
    if (nth % 1000 > 0) continue
    await new Promise(resolve => setImmediate(resolve))
    most = Math.max(most, young())
  }
  console.log(most)`

/** In megabytes, where V8 by itself would let it have 2 × 64, more than on any Node. */
async function mostYoung(...args: string[]): Promise<number> {
  const flags = ['--max-semi-space-size=64', '--no-allocation-site-pretenuring']
  const program = ['--input-type=module', '-e', YOUNG]
  return Number((await promisify(execFile)(process.execPath, [...flags, ...program, ...args])).stdout)
}

test('the young generation grows to 2 × 16 MB, and no further', async () => {
  expect(await mostYoung()).toBeGreaterThan(40)
  const tended = await mostYoung('tended')
  expect(tended).toBeGreaterThan(12)
  expect(tended).toBeLessThanOrEqual(32)
})

test('the guide to embedding gives a program the flags that the command sets', async () => {
  const { HEAP_FLAGS } = await import(HEAP)
  const guide = readFileSync(new URL('../../../../docs/guides/embedding.md', import.meta.url), 'utf8')
  expect(guide).toContain(`\nnode ${HEAP_FLAGS.join(' ')} program.mjs\n`)
})
