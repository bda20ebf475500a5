import type { NewMessage, PutResult } from './port.ts'

export interface GroupCommitOptions {
  /** Stores these in one commit. What it does after the commit comes before any caller is answered. */
  readonly put: (messages: readonly NewMessage[]) => Promise<PutResult[]>
  /** The server refused a batch for want of a partition: makes it. True if the batch is worth another try. */
  readonly repair: (error: unknown) => Promise<boolean>
}

/** As many as one call may bring. */
const MOST = 1000
const MOST_BYTES = 4 * 1024 * 1024
const AT_ONCE = 2
/** Half of so many are worth a commit of their own: the larger commit that they spare costs less for each than they win. */
const WORTH_HALVING = 128

interface Waiting {
  readonly message: NewMessage
  /** Was given together with the one before, and is stored with it or after it. */
  readonly follows: boolean
  resolve(result: PutResult): void
  reject(error: unknown): void
}

type Settled = PromiseSettledResult<PutResult>

export interface GroupCommit {
  /** Stores one message durably. @throws DatabaseError: with `unknown` it may have been stored; it is not tried again. */
  put(message: NewMessage): Promise<PutResult>
  /** Stores these in their order, in one commit if they fit. One that is refused fails alone. */
  putAll(messages: readonly NewMessage[]): Promise<Settled[]>
  /** Stores all of these or none, in one commit of their own. @throws DatabaseError as put does */
  putTogether(messages: readonly NewMessage[]): Promise<PutResult[]>
  /** Calls of put that wait for their commit. */
  readonly waiting: number
}

/**
 * Group commit: callers that put at the same time share one statement and one commit.
 *
 * A batch is whatever has come together while the one before was on its way; the first waits for nobody. A second one goes
 * beside it once as many wait as are on their way: sooner, both would be small, and a small commit costs nearly as much as
 * a large one (with 32 callers over REST: 2/3 of the server's CPU, and a tenth more of them). Very many who come at once
 * are halved, or they would all be answered together and come at once again, and of the node and its server one would
 * always be idle (docs/decisions/put-path.md).
 *
 * A row that the server refuses does not fail its neighbours: nothing of the batch was stored, so it is cut in halves until
 * that row is alone. A batch whose commit is in doubt is never tried again here: each caller is told.
 */
export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  let waiting: Waiting[] = []
  let underWay = 0
  let messagesUnderWay = 0
  let scheduled = false

  const isDue = (): boolean => {
    if (underWay === 0) return waiting.length > 0
    if (waiting[0]?.follows) return false
    return underWay < AT_ONCE && waiting.length >= messagesUnderWay
  }
  const share = (): number =>
    waiting.length < WORTH_HALVING ? waiting.length : Math.ceil((waiting.length + messagesUnderWay) / AT_ONCE)
  const flush = (): void => {
    scheduled = false
    while (isDue()) {
      const batch = cut(waiting, share())
      waiting = waiting.slice(batch.length)
      underWay += 1
      messagesUnderWay += batch.length
      void store(batch, options).then(() => {
        underWay -= 1
        messagesUnderWay -= batch.length
        flush()
      })
    }
  }
  const schedule = (): void => {
    if (scheduled || !isDue()) return
    scheduled = true
    setImmediate(flush)
  }
  const wait = (all: readonly Waiting[]): void => {
    for (const one of all) waiting.push(one)
    schedule()
  }
  return {
    put: message => new Promise((resolve, reject) => wait([{ message, follows: false, resolve, reject }])),
    putAll: messages => new Promise(resolve => wait(partsOf(messages, resolve))),
    putTogether: messages => storeTogether(messages, options),
    get waiting() {
      return waiting.length
    },
  }
}

/** The messages of one call, which is answered once all of them are settled: none has a promise of its own. */
function partsOf(messages: readonly NewMessage[], answer: (settled: Settled[]) => void): Waiting[] {
  const settled: Settled[] = []
  let left = messages.length
  if (left === 0) answer(settled)
  const settle = (nth: number, one: Settled): void => {
    settled[nth] = one
    left -= 1
    if (left === 0) answer(settled)
  }
  return messages.map((message, nth) => ({
    message,
    follows: nth > 0,
    resolve: value => settle(nth, { status: 'fulfilled', value }),
    reject: reason => settle(nth, { status: 'rejected', reason }),
  }))
}

/** Of those who wait the first ones, `share` or some more: what was given together is only parted where one commit cannot take it. */
function cut(waiting: readonly Waiting[], share: number): Waiting[] {
  let bytes = 0
  let whole = 0
  let end = 0
  for (; end < waiting.length; end++) {
    const { message, follows } = waiting[end]!
    if (!follows) whole = end
    if (!follows && end >= share) break
    if (end === MOST || bytes >= MOST_BYTES) return waiting.slice(0, whole || end)
    bytes += message.body?.length ?? 0
  }
  return waiting.slice(0, end)
}

async function store(batch: readonly Waiting[], options: GroupCommitOptions, tries = 3): Promise<void> {
  const messages = batch.map(({ message }) => message)
  try {
    const results = await options.put(messages)
    for (const [index, one] of batch.entries()) one.resolve(results[index]!)
  } catch (error) {
    const follow = tries > 0 ? await whatFollows(error, options) : 'fail'
    if (follow === 'again') return store(batch, options, tries - 1)
    if (follow === 'halve' && batch.length > 1) {
      const half = batch.length >> 1
      await store(batch.slice(0, half), options, tries)
      return store(batch.slice(half), options, tries)
    }
    for (const one of batch) one.reject(error)
  }
}

async function storeTogether(
  messages: readonly NewMessage[],
  options: GroupCommitOptions,
  tries = 3,
): Promise<PutResult[]> {
  try {
    return await options.put(messages)
  } catch (error) {
    if (tries > 0 && (await whatFollows(error, options)) === 'again') return storeTogether(messages, options, tries - 1)
    throw error
  }
}

async function whatFollows(error: unknown, { repair }: GroupCommitOptions): Promise<'again' | 'halve' | 'fail'> {
  const { outcome, sqlState = '' } = error as { outcome?: string; sqlState?: string }
  if (outcome !== 'rejected') return 'fail'
  if (sqlState === '23514') return (await repair(error).catch(() => false)) ? 'again' : 'fail'
  // Deadlock and serialization failure: rolled back, nothing wrong with the rows.
  if (sqlState.startsWith('40')) return 'again'
  // Class 22 and 23 speak of a row; anything else (no space, no memory, shutting down) would fail for each half too.
  return /^2[23]/.test(sqlState) ? 'halve' : 'fail'
}
