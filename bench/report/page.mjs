/** The page of a kept run, docs/reference/performance.md, and its chart. */
import { titleOf } from '../contenders.mjs'
import { drawChart } from './chart.mjs'
import { finder } from './promises.mjs'
import { format, table, tablesOf } from './tables.mjs'

export function writePage({ machine, scale, absent, medians, promises, changes, took }) {
  return `# Performance, measured

Written by \`npm run bench\`: Posthorn and its peers in one run on one machine, one after the other in turns, each started
afresh; medians of ${scale.rounds} rounds, in ${took}. Host speed differs from day to day by half, so the ratios count more than the
figures. Each row is checked: a run in which a message is lost writes no page.

![Draining a backlog, storing, and latency, as bars](performance.svg)

## The machine

${describe(machine)}
${absent.map(({ name, obstacle }) => `\n${titleOf(name)} did not take part: ${obstacle}.\n`).join('')}
## What is meant to hold

${promiseTable(promises)}
${tablesOf(medians)
  .map(({ title, text }) => `\n## ${title}\n\n${text}\n`)
  .join('')}
## Since the run before

${changeTable(changes)}

## How it is measured

- **Backlog**: ${format(scale.backlog, 0)} messages of 500 bytes are stored, then delivered to a receiver that answers 204 at once over
  connections kept alive; from the word to start until the last has come. Each contender has delivered ${format(scale.warmUp, 0)} before.
- **Posthorn** is \`posthorn serve\` as it is built, with its defaults: messages are signed, attempts and history kept,
  metrics on. *In process* is a node that a program embeds, started as the guide says, and called without HTTP as the peers are.
  The peers sign and record nothing.
- **Graphile Worker** runs 24 jobs at once with a local queue of 500 and batches without delay, as its documentation says
  for performance; **pg-boss** two workers with batches of 1000, fetching on while they are full, woken by notifications
  (which are off where only storing is measured);
  **BullMQ** 100 jobs at once on a Redis with \`appendfsync always\`. All three send with undici over 100 connections.
- **The database** is one PostgreSQL with fsync for all of them, over a socket; a fresh database for each contender.
- **Latency** counts from the moment at which the schedule wanted the put, so that a contender that is late with one
  message does not hide what the next ones wait. The schedule's own delay is in the table.
  What it is compared with, an fdatasync and a raw request, is measured at the same 200 a second: whoever is woken for each
  takes several times as long as one who is at it.
  *Plain INSERT, then \`request\`* is the least that a process can do on this database which sends what has been stored; a
  *bare HTTP server* that does so for others is the least that takes puts over REST. Neither signs, records nor tries again.
  What they take is beside the bounds above, as *the barest*.
- **CPU and memory** are what the kernel counted for the processes; callers over REST are not Posthorn's. They share
  the two cores with it, and send with undici's \`dispatch\`, which costs them least.

Not measured: TLS, a database across a network, hours of work.
`
}

function describe(machine) {
  const { versions, fdatasync } = machine
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${machine.cores} cores (${machine.processor}), ${machine.memoryGb} GB, ${machine.date}, load before ${format(machine.loadBefore, 1)}. ${named.join(', ')}.
One fdatasync after the other takes ${format(fdatasync.p50, 2)} ms (p99 ${format(fdatasync.p99, 2)}). The receiver is written in ${machine.sink} and takes ${format(machine.sinkRate, 0)} requests
a second when they are written without waiting.
`
}

export function promiseTable(promises) {
  return table(
    ['', 'meant', 'the barest', 'reached', ''],
    promises.map(({ what, atLeast, atMost, barest, reached, holds }) => {
      const meant = atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`
      const figure = format(reached, Number.isInteger(reached) ? 0 : 2)
      return [what, meant, format(barest, 2), figure, holds ? 'holds' : '**does not hold**']
    }),
  )
}

export function changeTable(changes) {
  if (changes === null) return 'This is the first run that was kept.'
  if (changes.length === 0) return 'Nothing of Posthorn changed by a tenth or more, the drift of the machine taken out.'
  const lines = changes.map(({ what, before, now, change }) => [
    what,
    format(before, 0),
    format(now, 0),
    `${change > 0 ? '+' : ''}${format(change * 100, 0)} %`,
  ])
  return table(['per second', 'before', 'now', 'change, drift taken out'], lines)
}

/** Gives the SVG. */
export function writeChart(medians) {
  const find = finder(medians)
  const raw = find('drain', 'raw-request', 'backlog')
  const bars = (scenario, kind, figure, text) =>
    medians
      .filter(row => row.scenario === scenario && kind.includes(row.kind) && row.figures[figure] !== undefined)
      .map(({ contender, figures }) => ({
        label: titleOf(contender),
        value: figures[figure],
        text: text(figures[figure]),
        ours: contender.startsWith('posthorn'),
      }))
      .sort((a, b) => (figure === 'rate' ? b.value - a.value : a.value - b.value))
  const perSecond = value => `${format(value, 0)}/s`
  const panels = [
    {
      title: 'Draining a backlog, deliveries per second',
      bars: bars('drain', ['backlog'], 'rate', value => perSecond(value) + (raw ? ` · ${format(value / raw, 2)}` : '')),
    },
    { title: 'Storing one by one, 32 callers', bars: bars('put', ['call, 32', 'rest, 32'], 'rate', perSecond) },
    {
      title: 'From put to arrival at 200/s, p50',
      bars: bars('latency', ['at 200/s'], 'p50', value => `${format(value, 2)} ms`),
    },
  ]
  return drawChart(panels.filter(panel => panel.bars.length > 0))
}
