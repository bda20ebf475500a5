/** What lists cost: each statement as the server writes it, explained and run, warm, median of seven. */

import { pageStatement } from '../../packages/server/dist/queue/list.js'
import { messageSource } from '../../packages/server/dist/queue/message-source.js'

const RUNS = 7
const eq = (field, value) => ({ field, op: 'eq', value })
const by = (field, direction) => [{ field, direction }]

const nothing = {
  limit: 10,
  offset: 0,
  where: [],
  anyOf: [],
  orderBy: [],
  startAfter: null,
  endBefore: null,
  fields: null,
  totalCount: false,
}

const cases = rows => [
  ['all of an org, first page', {}],
  ['all of an org, last page', { orderBy: by('id', 'desc') }],
  ['all of an org, 100 rows from row 1,000 on', { limit: 100, offset: 1000 }],
  ['all of an org, from a cursor in the middle', { orderBy: by('id', 'asc'), startAfter: { id: rows } }],
  ['an org with few messages', {}, 2],
  ['one by id', { where: [eq('id', rows + 5)] }],
  ['queue with half of all', { where: [eq('queueId', 1)] }],
  ['queue with 1 in 2,000, last page', { where: [eq('queueId', 500)], orderBy: by('id', 'desc') }],
  ['queue with 400 messages', { where: [eq('queueId', 2)] }, 2],
  ['queue that came last, first page', { where: [eq('queueId', 3)] }],
  ['dead of an org (2 in 10,000)', { where: [eq('status', 'dead')] }],
  ['dead of the big queue, last page', { where: [eq('status', 'dead'), eq('queueId', 1)], orderBy: by('id', 'desc') }],
  ['dead of a queue that has none', { where: [eq('status', 'dead'), eq('queueId', 500)] }],
  ['cancelled of an org', { where: [eq('status', 'cancelled')] }],
  ['pending of an org', { where: [eq('status', 'pending')] }],
  ['delivered of an org, last page', { where: [eq('status', 'delivered')], orderBy: by('id', 'desc') }],
  ['cron with 1 in 100, last page', { where: [eq('cronId', 1)], orderBy: by('id', 'desc') }],
  ['cron with 20 messages', { where: [eq('cronId', 2)] }],
  ['no index: by key', { where: [eq('key', 'k')] }],
  ['no index: ordered by `when`', { orderBy: by('when', 'asc') }],
]

/** Gives rows of [what, milliseconds to plan and run, blocks read]. */
export async function measureLists(client, rows) {
  const results = []
  for (const [what, query, orgId = 1] of cases(rows)) {
    results.push([what, ...(await explainMedian(client, { ...nothing, ...query }, orgId))])
  }
  return results
}

/** The lists that two indexes of the live table are for, without them, in a transaction that is taken back. */
export async function measureWithoutIndexes(client) {
  await client.query(`BEGIN; DROP INDEX posthorn.message_queue; DROP INDEX posthorn.message_cron;
    CREATE INDEX message_cron ON posthorn.message (cron_id) WHERE cron_id IS NOT NULL`)
  const results = []
  for (const [what, query, orgId = 1] of cases(0).filter(([what]) => /came last|1 in 100/.test(what))) {
    results.push([what, ...(await explainMedian(client, { ...nothing, ...query }, orgId))])
  }
  await client.query('ROLLBACK')
  return results
}

async function explainMedian(client, query, orgId) {
  const source = messageSource(orgId, query, String)
  const { statement, params } = pageStatement(source, query)
  const text = `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement.text}`
  const runs = []
  for (let i = 0; i < RUNS; i++) {
    const { rows } = await client.query({ text, values: params })
    const [plan] = rows[0]['QUERY PLAN']
    const blocks = plan.Plan['Shared Hit Blocks'] + plan.Plan['Shared Read Blocks']
    runs.push([plan['Planning Time'] + plan['Execution Time'], blocks])
  }
  return runs.sort((a, b) => a[0] - b[0])[Math.floor(RUNS / 2)]
}
