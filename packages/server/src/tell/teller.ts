import type { OperationalEventData, OperationalEventType } from '@posthorn/contract'
import type { Notice } from '../engine/port.ts'
import type { Log } from '../log.ts'
import type { Target } from './operator-queue.ts'

/** One thing that an operator is told. Deaths, which are many, are told by deaths.ts. */
export type Happening<Types extends OperationalEventType = Exclude<OperationalEventType, 'message.dead'>> = {
  [T in Types]: { readonly type: T; readonly data: OperationalEventData<T> }
}[Types]

export interface TellerOptions {
  readonly log: Log
  /** Which are put on the operator's queue. */
  readonly types: readonly OperationalEventType[]
  readonly target: () => Target | null
  readonly counted: (type: OperationalEventType, count: number) => void
}

export interface Teller {
  /** Whether something of this type is to be put on the operator's queue; `queueId`: what it is about, if a queue. */
  wants(type: OperationalEventType, queueId: number | null): boolean
  /** The message that tells it; null if none is to be put. */
  noticeOf(happening: Happening<OperationalEventType>, at: Date): Notice | null
  /** It has happened, and is committed: it is logged and counted. */
  told(happening: Happening): void
}

type Words = { readonly level: 'info' | 'warn'; readonly words: string }

const SAID: Readonly<Record<Happening['type'], Words>> = {
  'queue.paused': { level: 'warn', words: 'a queue was paused by an answer of its receiver' },
  'breaker.opened': { level: 'warn', words: 'the circuit breaker of a queue opened' },
  'breaker.closed': { level: 'info', words: 'the circuit breaker of a queue closed' },
  'backlog.old': { level: 'warn', words: 'the backlog of a queue is older than its bound' },
  'backlog.recovered': { level: 'info', words: 'the backlog of a queue is no longer old' },
  'workers.gone': { level: 'warn', words: 'no worker node runs: nothing is delivered' },
  'workers.available': { level: 'info', words: 'there are worker nodes again' },
}

/**
 * Tells the operator, in three ways: the log, a counter, and a message on a queue.
 *
 * What befalls the operator's own queue, or one that its dead letters go to, is not put on it: the death of an event would
 * be another event, for ever. The log and the counter have it.
 */
export function createTeller({ log, types, target, counted }: TellerOptions): Teller {
  const wanted = new Set(types)
  const wants: Teller['wants'] = (type, queueId) => {
    const to = target()
    return to !== null && wanted.has(type) && (queueId === null || !to.line.has(queueId))
  }
  return {
    wants,
    noticeOf({ type, data }, at) {
      if (!wants(type, 'queueId' in data ? data.queueId : null)) return null
      const { orgId, queueId } = target()!
      return { orgId, queueId, body: JSON.stringify({ type, timestamp: at.toISOString(), data }) }
    },
    told({ type, data }) {
      counted(type, 1)
      const { level, words } = SAID[type]
      log[level]({ event: type, ...data }, words)
    },
  }
}
