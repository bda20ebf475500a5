/** The tables of a run, in Markdown: they are read in a terminal as well. */
import { titleOf } from '../contenders.mjs'
import { finder } from './promises.mjs'

const COLUMNS = {
  rate: ['per second', 0],
  ofRaw: ['of `request`', 2],
  cpuNode: ['CPU s per 10,000: node', 2],
  cpuStore: ['database', 2],
  rss: ['memory, MB', 0],
  p50: ['p50 ms', 2],
  p90: ['p90 ms', 2],
  p99: ['p99 ms', 2],
  most: ['most ms', 1],
  ownDelayP99: ['p99 of the schedule itself', 2],
  fdatasyncP50: ['an fdatasync at that pace', 2],
  events: ['events per second', 1],
  seconds: ['seconds', 1],
  startMs: ['start, ms', 0],
  idleNode: ['at rest, CPU s a minute: node', 2],
  idleStore: ['database at rest', 2],
  lost: ['lost', 0],
  duplicates: ['twice', 0],
}

const TITLES = {
  drain: 'Draining a backlog',
  put: 'Storing, durable, while nothing is delivered',
  latency: 'From put to arrival',
  'fan-out': 'One event to 1000 receivers',
  'dead-queue': 'Beside a dead queue',
  hanging: 'Beside receivers that hang',
  nodes: 'One node and two',
  'many-queues': 'Queues that do nothing',
  size: 'Backlogs of every size, one after the other on one queue, as its history grows',
}

/** Gives { title, text } for each scenario that was run. */
export function tablesOf(medians) {
  const raw = finder(medians)('drain', 'raw-request', 'backlog')
  return Object.entries(TITLES).flatMap(([scenario, title]) => {
    const rows = medians.filter(row => row.scenario === scenario)
    if (rows.length === 0) return []
    if (scenario === 'drain' && raw) {
      for (const { figures } of rows) figures.ofRaw = figures.rate / raw
    }
    return [{ title, text: scenario === 'put' ? putTable(rows) : plainTable(rows) }]
  })
}

function plainTable(rows) {
  const isOne = new Set(rows.map(({ kind }) => kind)).size === 1
  const columns = Object.entries(COLUMNS).filter(([name]) => rows.some(({ figures }) => figures[name] !== undefined))
  const head = ['', ...(isOne ? [] : ['']), ...columns.map(([, [title]]) => title)]
  const lines = rows.map(({ contender, kind, figures }) => [
    titleOf(contender),
    ...(isOne ? [] : [kind]),
    ...columns.map(([name, [, digits]]) => format(figures[name], digits)),
  ])
  return table(head, lines)
}

/** Callers in columns, contenders and ways in rows. */
function putTable(rows) {
  const lines = new Map()
  for (const { contender, kind, figures } of rows) {
    const [way, callers = ''] = kind.split(', ')
    const title = titleOf(contender) + ({ rest: ' over REST', graphql: ' over GraphQL' }[way] ?? '')
    const name =
      way === 'bulk'
        ? titleOf(contender) + (contender.includes('library') || !contender.startsWith('posthorn') ? '' : ' over REST')
        : title
    const line = lines.get(name) ?? {}
    lines.set(name, { ...line, [way === 'bulk' ? 'bulk' : callers]: figures.rate })
  }
  const columns = ['1', '32', '200', 'bulk']
  const head = ['per second', '1 caller', '32 callers', '200 callers', 'in bulk']
  return table(
    head,
    [...lines].map(([name, line]) => [name, ...columns.map(column => format(line[column], 0))]),
  )
}

export function table(head, lines) {
  const rule = `|---|${head
    .slice(1)
    .map(() => '---:|')
    .join('')}`
  return [head, ...lines]
    .map(line => `| ${line.join(' | ')} |`)
    .toSpliced(1, 0, rule)
    .join('\n')
}

export function format(value, digits) {
  if (value === undefined || value === null) return ''
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
