import { expect, test } from 'vitest'
import { secretBytes, signingSecret } from '../../test/leaks/marked.ts'
import type { Clock } from '../clock.ts'
import type { Executor, Param, Statement } from '../db/port.ts'
import { silentLog } from '../log.ts'
import { queueSecretsPlace } from '../tenant/sealed-columns.ts'
import { createSecretBox } from '../tenant/secret-box.ts'
import { QueueBook } from './book.ts'

const SECRET = signingSecret()
const secrets = createSecretBox(secretBytes())

const row = (id: number, more: object = {}) => ({
  id,
  org_id: 1,
  name: `queue ${id}`,
  callback_url: null,
  method: 'POST',
  headers: null,
  dead_letter_queue_id: null,
  max_retries: 5,
  backoff: { delaysMs: [1], jitter: 0 },
  timeout_ms: 1000,
  concurrency: 1,
  ordered: 'none',
  follow_redirects: false,
  on_gone: 'fail',
  rate_limit: null,
  circuit_breaker: null,
  weight: 10,
  secrets: [secrets.seal(SECRET, queueSecretsPlace(1))],
  paused_at: null,
  version: 1,
  ...more,
})

/** A database of queues whose answers arrive when the test says so. */
class Shelf {
  readonly queues = new Map<number, object>()
  readonly asked: number[][] = []
  readonly #waiting: (() => void)[] = []
  held = false

  async query<Row>(_statement: Statement, params?: readonly Param[]): Promise<Row[]> {
    const ids = params![0] as number[]
    this.asked.push(ids)
    const answer = ids.flatMap(id => this.queues.get(id) ?? [])
    if (this.held) await new Promise<void>(resolve => this.#waiting.push(resolve))
    return answer as Row[]
  }
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function openBook(capacity?: number) {
  const shelf = new Shelf()
  const time = { ms: 0 }
  const clock: Clock = { now: () => time.ms, monotonic: () => time.ms, setTimer: () => ({ cancel() {} }) }
  const db = shelf as unknown as Executor
  return { shelf, time, book: new QueueBook({ db, secrets, clock, log: silentLog, ...(capacity ? { capacity } : {}) }) }
}

test('many queues are loaded in one statement, with their secrets opened, and then known', async () => {
  const { shelf, book } = openBook()
  for (const id of [1, 2, 3]) shelf.queues.set(id, row(id))
  expect(book.get(1)).toBeUndefined()
  await book.load([1, 2, 3])
  await book.load([3, 2, 1])
  expect(shelf.asked).toEqual([[1, 2, 3]])
  expect(book.get(2)).toMatchObject({ id: 2, orgId: 1, secrets: [SECRET], isPaused: false })
})

test('callers who ask for the same queue at once share one answer', async () => {
  const { shelf, book } = openBook()
  shelf.queues.set(1, row(1))
  await Promise.all([book.load([1]), book.load([1]), book.load([1, 1])])
  expect(shelf.asked).toEqual([[1]])
})

test('an answer asked for before a change is not taken for the one after it', async () => {
  const { shelf, book } = openBook()
  shelf.queues.set(1, row(1))
  shelf.held = true
  const loaded = book.load([1])
  shelf.queues.set(1, row(1, { version: 2 }))
  book.forget(1)
  shelf.held = false
  shelf.release()
  await loaded
  expect(book.get(1)?.version).toBe(2)
})

test('whoever asks gets an answer, however often what is asked for is forgotten meanwhile', async () => {
  const { shelf, book } = openBook()
  for (const id of [1, 2]) shelf.queues.set(id, row(id))
  shelf.held = true
  const found = book.find([1, 2, 2, 9])
  const beside = book.find([1])
  book.forget(1)
  const after = book.find([1])
  book.forgetAll()
  shelf.release()
  const answer = await found
  expect([answer.get(1)?.id, answer.get(2)?.id, answer.get(9)]).toEqual([1, 2, null])
  expect([(await beside).get(1)?.id, (await after).get(1)?.id]).toEqual([1, 1])
  expect(shelf.asked).toEqual([[1, 2, 9], [1]])
  expect(book.get(1), 'what was forgotten is not kept').toBeUndefined()
})

test('an id that does not exist is remembered for a second, unless it is forgotten before', async () => {
  const { shelf, time, book } = openBook()
  await book.load([9])
  expect(book.get(9)).toBe(null)
  await book.load([9])
  expect(shelf.asked).toHaveLength(1)
  time.ms = 1000
  expect(book.get(9)).toBe(undefined)
  shelf.queues.set(9, row(9))
  await book.load([9])
  expect(book.get(9)?.id).toBe(9)
})

test('a load that fails is told to everybody who waited, and the next one asks again', async () => {
  const { shelf, book } = openBook()
  const query = shelf.query.bind(shelf)
  shelf.query = () => Promise.reject(new Error('lost'))
  await expect(Promise.all([book.load([1]), book.load([1])])).rejects.toThrow('lost')
  shelf.query = query
  shelf.queues.set(1, row(1))
  await book.load([1])
  expect(book.get(1)?.id).toBe(1)
})

test('a queue whose secrets cannot be opened waits, and the others do not', async () => {
  const { shelf, book } = openBook()
  shelf.queues.set(1, row(1, { secrets: ['v1:00000000:AAAA'] }))
  shelf.queues.set(2, row(2))
  await book.load([1, 2])
  expect(book.get(1)).toMatchObject({ isPaused: true, secrets: [] })
  expect(book.get(2)?.isPaused).toBe(false)
})

test('it holds no more queues than it may', async () => {
  const { shelf, book } = openBook(10)
  for (let id = 1; id <= 100; id++) {
    shelf.queues.set(id, row(id))
    await book.load([id])
  }
  expect([...shelf.queues.keys()].filter(id => book.get(id)).length).toBeLessThanOrEqual(10)
})
