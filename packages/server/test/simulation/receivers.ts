import type { Decide, Delivery, Report, Route } from '../../src/run/port.ts'
import type { Ledger } from './ledger.ts'
import { lineOf } from './settings.ts'
import type { Process, VirtualTime } from './virtual-time.ts'

const RECEIVERS = { well: { failing: 0.1, slow: 0.03 }, 'slow and failing': { failing: 0.5, slow: 0.3 } }
export type Receivers = keyof typeof RECEIVERS

/** An attempt is given up after this time; what the receiver does afterwards, nobody hears of. */
const TIMEOUT_MS = 4000
const GONE = 0.003
const MOST_ATTEMPTS = 6

interface ReceiversOptions {
  readonly time: VirtualTime
  readonly random: () => number
  readonly ledger: Ledger
  readonly node: number
  readonly process: Process
  readonly receivers: Receivers
}

/** Receivers that fail, hang, answer too late and go away, as one node sees them. */
export function receiversOf(options: ReceiversOptions): Delivery<Route> {
  const { time, random, ledger, node, process } = options
  const { failing, slow } = RECEIVERS[options.receivers]
  return {
    attempt(route, head, nth, done) {
      const start = ledger.start(head, route, node, time.now)
      const fails = random() < failing
      const gone = random() < GONE
      const takesMs = random() < slow ? 2000 + random() * 4000 : random() * 40
      const timedOut = takesMs > TIMEOUT_MS
      const line = lineOf(route, head.key)
      const decide: Decide = now => {
        if (!fails && !gone && !timedOut) return { verdict: { kind: 'delivered' }, pause: null }
        const counted = nth - head.forgiven
        const at = Math.floor(now) + 50 * 2 ** counted
        if (gone) return { verdict: { kind: 'retry', at, inPlace: line !== null }, pause: 'gone' }
        const { deadLetterQueueId } = route
        if (counted >= MOST_ATTEMPTS)
          return { verdict: { kind: 'dead', reason: 'enough', deadLetterQueueId }, pause: null }
        if (head.expiresAt !== null && at >= head.expiresAt)
          return { verdict: { kind: 'expired', reason: 'too late' }, pause: null }
        return { verdict: { kind: 'retry', at, inPlace: line !== null }, pause: null }
      }
      const report = reportOf(gone ? 'gone' : fails || timedOut ? 'failed' : 'delivered', takesMs, timedOut)
      const end = (): void => {
        ledger.ended(start, route, report.outcome === 'delivered', time.now)
        done(report, decide)
      }
      if (timedOut) time.at(TIMEOUT_MS, () => process.do(end))
      time.at(takesMs, () => {
        if (!fails && !gone) ledger.accepted(start, time.now, timedOut)
        if (!timedOut) process.do(end)
      })
    },
  }
}

function reportOf(outcome: Report['outcome'], durationMs: number, timedOut: boolean): Report {
  return { outcome, durationMs, timedOut, status: null, errorCode: null, error: null, excerpt: null }
}
