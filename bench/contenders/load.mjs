/** How every contender is loaded: the same callers, the same schedule, the same bodies. */
import { Worker } from 'node:worker_threads'
import { nowUs } from '../body.mjs'

const WARM_UP_MS = 300

/**
 * `callers` at a time call `put(id)`, each again as soon as it is answered, for `ms`.
 * Gives what was done in that time, after a moment for warming up that does not count.
 */
export async function closedLoop({ callers, ms, warmUpMs = WARM_UP_MS }, put) {
  let next = 0
  let count = 0
  let counting = false
  const start = performance.now() + warmUpMs
  const end = start + ms
  const call = async () => {
    for (let now = performance.now(); now < end; now = performance.now()) {
      counting = now >= start
      await put(next++)
      if (counting && performance.now() <= end) count += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return { count, seconds: ms / 1000, all: next }
}

/** `flow` of a contender that puts by `put(id, at)`: on a schedule where the load has a rate, else by callers. */
export const flowOf = put => load => (load.rate ? openLoop(load, put) : closedLoop(load, id => put(id, 0)))

/**
 * Calls `put(id, at)` at the moments of a schedule, whether those before were answered or not, and hands over the moment
 * at which it should have been called: what waits because the contender is busy counts as the contender's wait.
 * Above 1000 a second, those of a millisecond are due together. Gives how late it was itself.
 */
export async function openLoop({ rate, ms }, put) {
  const pacer = new Worker(new URL('pacer.mjs', import.meta.url), {
    workerData: { periodUs: Math.max(1000, 1e6 / rate), ticks: Math.round((Math.min(rate, 1000) * ms) / 1000) },
  })
  const perTick = rate / Math.min(rate, 1000)
  const lates = []
  const answers = new Set()
  let failed = null
  let owed = 0
  let count = 0
  pacer.on('message', at => {
    const now = nowUs()
    lates.push(now - at)
    for (owed += perTick; owed >= 1; owed--) {
      const answer = put(count++, at)
        .catch(error => {
          failed ??= error
        })
        .finally(() => answers.delete(answer))
      answers.add(answer)
    }
  })
  await new Promise((resolve, reject) => pacer.once('exit', resolve).once('error', reject))
  while (answers.size > 0) await Promise.all(answers)
  if (failed) throw failed
  lates.sort((a, b) => a - b)
  return { count, lateUs: lates[lates.length >> 1], lateUsP99: lates[Math.floor(lates.length * 0.99)] }
}

/** Does `work(from, to)` for pieces of `size` out of `count`, `width` at a time. */
export async function inPieces({ count, size, width = 1 }, work) {
  let next = 0
  const lane = async () => {
    while (next < count) {
      const from = next
      next = Math.min(count, from + size)
      await work(from, next)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
}

export async function seconds(work) {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

/** Asks `done` every few milliseconds until it says yes. */
export async function until(done) {
  while (!(await done())) await new Promise(resolve => setTimeout(resolve, 20))
}

const BULK = 1000

/**
 * What a contender with a store of its own offers to the scenarios, from three acts of its own: `add(id, at)` stores one
 * message, `addMany(from, to)` those ids together, and `stored()` counts what is not delivered yet.
 */
export function loadedBy({ add, addMany, stored }) {
  const addAll = (first, count) =>
    inPieces({ count, size: BULK, width: 2 }, (from, to) => addMany(first + from, first + to))
  return {
    prepare: messages => addAll(0, messages),
    settled: () => until(async () => (await stored()) === 0),
    put: ({ first, ...load }) => closedLoop(load, id => add(first + id, 0)),
    putBulk: ({ first, messages }) => seconds(() => addAll(first, messages)),
    flow: flowOf(add),
    stored,
  }
}
