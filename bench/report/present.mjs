/** The end of a run: what is shown, and what is kept of it where. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/run.mjs'
import { say } from '../../scripts/say.mjs'
import { compare } from './compare.mjs'
import { changeTable, promiseTable, writeChart, writePage } from './page.mjs'
import { judgePromises } from './promises.mjs'
import { tablesOf } from './tables.mjs'

const KEPT = join(root, 'bench/results/kept.json')
const PAGES = join(root, 'docs/reference')
const PARTS = join(root, '.posthorn/bench')

export function present({ options, machine, absent, rows, medians, faults, took }) {
  const kept = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : null
  const promises = judgePromises(medians)
  const changes = kept && compare(kept.medians, medians)
  for (const { title, text } of tablesOf(medians)) print(title, text)
  if (promises.length > 0) print('What is meant to hold', promiseTable(promises))
  print('Since the run that was kept last', changeTable(changes))
  for (const fault of faults) say(`bench: FAULT: ${fault}`)

  const result = { machine, scale: options.scale, absent, promises, medians, rows, faults }
  const isKept = options.isFull && faults.length === 0
  const [data, pages] = isKept ? [KEPT, PAGES] : [join(PARTS, 'results.json'), PARTS]
  mkdirSync(join(data, '..'), { recursive: true })
  mkdirSync(pages, { recursive: true })
  writeFileSync(data, `${JSON.stringify(result, null, 1)}\n`)
  writeFileSync(join(pages, 'performance.md'), writePage({ ...result, changes, took }))
  writeFileSync(join(pages, 'performance.svg'), writeChart(medians))
  say(`bench: ${took}; wrote ${data} and ${pages}/performance.md${isKept ? '' : whyNotKept(faults)}`)
}

function whyNotKept(faults) {
  return faults.length > 0
    ? ' (not kept: something went wrong)'
    : ' (not kept: only a full run is, `npm run bench` without options)'
}

function print(title, text) {
  process.stdout.write(`\n${title}\n\n${text}\n`)
}
