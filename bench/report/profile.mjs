/**
 * `node bench/report/profile.mjs [--last seconds] <file.cpuprofile> …`: where the time went, by part of the program and by
 * function. With `--last`, of the end alone: what a drain ends with, and not the start of the process.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { format, table } from './tables.mjs'

const TOP = 30
const GROUPS = [
  ['idle', ({ functionName }) => functionName === '(idle)'],
  ['garbage collection', ({ functionName }) => functionName === '(garbage collector)'],
  ['kernel and native code', ({ functionName, url }) => functionName === '(program)' || url === ''],
  ['pg', ({ url }) => /node_modules\/pg(-[a-z-]+)?\//.test(url)],
  ['undici', ({ url }) => url.includes('node_modules/undici/')],
  ['other packages', ({ url }) => url.includes('node_modules/')],
  ['node’s own modules', ({ url }) => url.startsWith('node:')],
  ['posthorn', () => true],
]

const { values, positionals } = parseArgs({ options: { last: { type: 'string' } }, allowPositionals: true })
for (const path of positionals) print(path, JSON.parse(readFileSync(path, 'utf8')))

function print(path, { nodes, samples, timeDeltas, startTime, endTime }) {
  const selfUs = new Map()
  let at = startTime
  for (const [i, id] of samples.entries()) {
    at += timeDeltas[i]
    if (values.last && at < endTime - Number(values.last) * 1e6) continue
    selfUs.set(id, (selfUs.get(id) ?? 0) + timeDeltas[i])
  }
  const byGroup = new Map()
  const byFunction = new Map()
  let busy = 0
  for (const { id, callFrame } of nodes) {
    const us = selfUs.get(id) ?? 0
    const [group] = GROUPS.find(([, belongs]) => belongs(callFrame))
    byGroup.set(group, (byGroup.get(group) ?? 0) + us)
    if (group === 'idle') continue
    busy += us
    const place = `${callFrame.url.replace(/^.*\/(node_modules|dist)\//, '')}:${callFrame.lineNumber + 1}`
    const name = `${callFrame.functionName || '(anonymous)'} · ${callFrame.url ? place : 'native'}`
    byFunction.set(name, (byFunction.get(name) ?? 0) + us)
  }
  const lines = all =>
    [...all]
      .sort((a, b) => b[1] - a[1])
      .slice(0, TOP)
      .map(([name, us]) => [name, format(us / 1000, 0), format((us / busy) * 100, 1)])
  console.log(`\n${path}\n\n${table(['', 'ms', '% of busy'], lines(byGroup))}\n`)
  console.log(table(['function', 'ms of its own', '% of busy'], lines(byFunction)))
}
