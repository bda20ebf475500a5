/** Rows with different values in every field, made once for an installation: for lists to be asked about. */
import type { Installation, Json } from './installations.ts'
import { LATER } from './installations.ts'

export interface Sample {
  readonly plural: 'queues' | 'messages' | 'crons'
  /** A filter that finds these rows and no others. */
  readonly scope: string
  /** The same in GraphQL. */
  readonly or: string
  readonly rows: readonly Json[]
}

type Samples = Readonly<Record<Sample['plural'], Sample>>
const made = new WeakMap<Installation, Promise<Samples>>()

export async function sampleOf(on: Installation, plural: Sample['plural']): Promise<Sample> {
  const samples = made.get(on) ?? make(on)
  made.set(on, samples)
  return (await samples)[plural]
}

async function make(on: Installation): Promise<Samples> {
  const target = on.target()
  const failing = on.target(() => ({ kind: 'answer', status: 500 }))
  const dead = await on.queue({ name: 'sample a', method: 'GET', maxRetries: 0, callbackUrl: `${target.url}-a` })
  const more = { deadLetterQueueId: dead.id, headers: { 'x-a': '1' } }
  const b = await on.queue({ name: 'sample b', method: 'POST', maxRetries: 3, callbackUrl: `${target.url}-b`, ...more })
  const c = await on.queue({ name: 'Sample C', method: 'PUT', maxRetries: 7, callbackUrl: `${target.url}-c` })
  const last = await on.queue({ name: 'sample d', method: 'DELETE', maxRetries: 9, callbackUrl: `${target.url}-d` })
  await on.well('PUT', `/queues/${dead.id}`, { headers: { 'x-b': '2' } })
  const { id } = await on.queue({ callbackUrl: target.url, maxRetries: 2, headers: { 'x-c': '3' } })
  const cron = (schedule: string, body: string) => on.well('POST', '/crons/', { queueId: id, schedule, body })
  const crons = [await cron('0 0 1 1 *', 'yearly'), await cron('0 0 1 2 *', 'in February')]
  crons.push(await cron('0 0 1 3 *', 'in March'), await cron('0 0 1 4 *', 'APRIL'))
  await on.put(id, { when: LATER, body: 'later' })
  const delivered = await on.put(id, { body: 'Delivered' })
  const bad = await on.queue({ callbackUrl: failing.url, maxRetries: 1 })
  const failed = await on.put(bad.id, { body: 'dead' })
  await on.until(delivered.id, ({ sentAt }) => sentAt !== null)
  await on.until(failed.id, ({ failed }) => failed)
  const queues = [dead, b, c, last].map(queue => queue.id)
  return {
    queues: await sample(on, 'queues', 'id', queues),
    messages: await sample(on, 'messages', 'queueId', [id, bad.id]),
    crons: await sample(on, 'crons', 'queueId', [id]),
  }
}

async function sample(
  on: Installation,
  plural: Sample['plural'],
  field: string,
  ids: readonly number[],
): Promise<Sample> {
  const scope = `where.or=${encodeURIComponent(`(${ids.map(id => `${field}.eq=${id}`).join('|')})`)}`
  const or = ids.map(id => `{${field}: {eq: ${id}}}`).join(' ')
  return { plural, scope, or, rows: await on.get(`/${plural}/?limit=100&orderby.id=asc&${scope}`) }
}
