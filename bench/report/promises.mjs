/** What Posthorn means to hold beside its peers, each with its bound and what this run reached. */

/** `medians` as medians.mjs gives them. What was not measured in this run is left out. */
export function judgePromises(medians) {
  const find = finder(medians)
  return [
    ...drainPromises(find),
    ...latencyPromises(find),
    ...putPromises(find),
    ...fairPromises(find),
    ...nodePromises(find),
    ...sizePromises(find),
  ]
    .filter(({ reached }) => reached !== null)
    .map(one => ({ ...one, holds: one.atLeast === undefined ? one.reached <= one.atMost : one.reached >= one.atLeast }))
}

/** Gives a figure of a row, or null. */
export function finder(medians) {
  return (scenario, contender, kind, figure = 'rate') => {
    const row = medians.find(one => one.scenario === scenario && one.contender === contender && one.kind === kind)
    return row?.figures[figure] ?? null
  }
}

const ratio = (a, b) => (a === null || b === null || b === 0 ? null : a / b)
const sum = (...parts) => (parts.includes(null) ? null : parts.reduce((total, part) => total + part, 0))

function drainPromises(find) {
  const drain = (contender, figure) => find('drain', contender, 'backlog', figure)
  const against = (title, peer, atLeast) => ({
    what: `drain: times ${title}`,
    atLeast,
    reached: ratio(drain('posthorn'), drain(peer)),
  })
  return [
    against('undici `request`', 'raw-request', 0.6),
    against('Graphile Worker', 'graphile-worker', 1.9),
    against('pg-boss', 'pg-boss', 2.8),
    against('BullMQ', 'bullmq', 2.8),
    {
      what: 'drain: CPU s per 10,000, node + database',
      atMost: 0.4,
      reached: sum(drain('posthorn', 'cpuNode'), drain('posthorn', 'cpuStore')),
    },
    { what: 'drain: sent twice', atMost: 0, reached: drain('posthorn', 'duplicates') },
    {
      what: 'drain: embedded database, times PostgreSQL',
      atLeast: 0.25,
      reached: ratio(drain('posthorn-embedded'), drain('posthorn')),
    },
  ]
}

/** The least that stores before it sends: a round trip to the database is neither a sync nor a request. */
const BAREST = { posthorn: 'forwarder', 'posthorn-library': 'insert-request' }

/**
 * The measure of latency is what cannot be had for less: two syncs of the log and one request, each as it is when 200 of
 * them come in a second. A put over REST is a request of its own before that; the peers are called in process.
 */
function latencyPromises(find) {
  const sync = find('latency', 'posthorn', 'at 200/s', 'fdatasyncP50')
  const least = sum(sync, sync, find('latency', 'raw-request', 'at 200/s', 'p50'))
  return Object.entries({ posthorn: 'put over REST', 'posthorn-library': 'put in process' }).flatMap(([name, way]) => {
    const times = (title, atMost, kind, figure) => ({
      what: `latency, ${way}: ${title}, times (2 fdatasync + 1 raw request)`,
      atMost,
      reached: ratio(find('latency', name, kind, figure), least),
    })
    const calm = (title, atMost, figure) => ({
      ...times(title, atMost, 'at 200/s', figure),
      barest: ratio(find('latency', BAREST[name], 'at 200/s', figure), least),
    })
    return [
      calm('p50 at 200/s', 1, 'p50'),
      calm('p99 at 200/s', 5, 'p99'),
      times('p99 at half of the maximum', 25, 'at half', 'p99'),
    ]
  })
}

function putPromises(find) {
  const put = (contender, kind) => find('put', contender, kind)
  const library = callers => put('posthorn-library', `call, ${callers}`)
  return [
    {
      what: 'put in process, 32 callers: times plain INSERTs',
      atLeast: 3,
      reached: ratio(library(32), put('insert', 'call, 32')),
    },
    {
      what: 'put in process, 200 callers: times plain INSERTs',
      atLeast: 5,
      reached: ratio(library(200), put('insert', 'call, 200')),
    },
    {
      what: 'put over REST, 32 callers: times pg-boss in process',
      atLeast: 5,
      reached: ratio(put('posthorn', 'rest, 32'), put('pg-boss', 'call, 32')),
    },
    {
      what: 'bulk in process: times Graphile Worker',
      atLeast: 1.5,
      reached: ratio(put('posthorn-library', 'bulk'), put('graphile-worker', 'bulk')),
    },
    {
      what: 'put over REST, 32 callers: embedded database, times PostgreSQL',
      atLeast: 0.25,
      reached: ratio(put('posthorn-embedded', 'rest, 32'), put('posthorn', 'rest, 32')),
    },
  ]
}

function fairPromises(find) {
  const dead = (kind, figure) => find('dead-queue', 'posthorn', kind, figure)
  const rows = ['refused', 'silent'].map(way => ({
    what: `drain beside a dead queue (${way}): times alone`,
    atLeast: 0.9,
    reached: ratio(dead(`beside a dead queue, ${way}`), dead('alone')),
  }))
  const hung = (figure, kind) => find('hanging', 'posthorn', kind, figure)
  const beside = 'beside 1000 that hang'
  return [
    ...rows,
    {
      what: 'healthy queues beside 1000 that hang: throughput, times alone',
      atLeast: 0.9,
      reached: ratio(hung('rate', beside), hung('rate', 'healthy alone')),
    },
    {
      what: 'healthy queues beside 1000 that hang: p99, times alone',
      atMost: 2,
      reached: ratio(hung('p99', beside), hung('p99', 'healthy alone')),
    },
    { what: 'memory of a node beside 1000 that hang, MB', atMost: 250, reached: hung('rss', beside) },
  ]
}

function nodePromises(find) {
  const nodes = (kind, figure) => find('nodes', 'posthorn', kind, figure)
  return [
    {
      what: 'two nodes, near receiver: times one',
      atLeast: 1,
      reached: ratio(nodes('near receiver, 2 nodes'), nodes('near receiver, 1 node')),
    },
    {
      what: 'two nodes, receiver of 20 ms: times one',
      atLeast: 1.8,
      reached: ratio(nodes('receiver of 20 ms, 2 nodes'), nodes('receiver of 20 ms, 1 node')),
    },
    {
      what: 'nodes come and go: lost or sent twice',
      atMost: 0,
      reached: sum(nodes('nodes come and go', 'lost'), nodes('nodes come and go', 'duplicates')),
    },
  ]
}

/** The smaller one is large enough for its processor time to be counted in hundredths of a second. */
function sizePromises(find) {
  const cpu = pending => {
    const of = part => find('size', 'posthorn', `${pending} pending`, part)
    return sum(of('cpuNode'), of('cpuStore'))
  }
  return [
    {
      what: 'CPU s per message of 1,000,000 pending: times that of 100,000',
      atMost: 1.1,
      reached: ratio(cpu('1,000,000'), cpu('100,000')),
    },
  ]
}
