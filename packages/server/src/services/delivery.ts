import { type Answer, FAULTS, type Fault, faultOf } from './faults.ts'
import type { Pause } from './pause.ts'
import type { Adapter, Deliver, Outcome, Result } from './port.ts'

export interface DeliveryOptions<M> {
  readonly batch: number
  readonly batchBytes: number
  readonly sizeOf: (message: M) => number
  readonly open: {
    readonly pause: Pause
    act<T>(what: string, run: (adapter: Adapter, signal: AbortSignal) => Promise<T>): Promise<Answer<T>>
    /** Makes an adapter's fault one that may be seen. */
    tidy(fault: Fault): Fault
    /** The same for an error. */
    read(error: unknown, adapter: Adapter): Fault
    /** A text of the service as it may be seen. */
    readable(text: string): string
  }
  /** What keeps a message from being sent at all. */
  readonly wrong: (message: M) => string | null
  readonly take: (
    adapter: Adapter,
  ) => ((messages: readonly M[], signal: AbortSignal) => Promise<readonly Result[]>) | undefined
}

/**
 * Delivers a batch of any size in the portions that the service takes, one after the other.
 *
 * Every message gets its own outcome. A portion that the service refuses as a whole, for good and because of what is in
 * it, is given again message by message: so one bad message cannot take its neighbours with it. A portion that failed in
 * any other way is to be retried as a whole, because nobody knows which of it arrived.
 */
export function createDelivery<M>(options: DeliveryOptions<M>): Deliver<M> {
  const { open, wrong, take } = options
  const deliverPortion = async (messages: readonly M[]): Promise<readonly Outcome[]> => {
    const answer = await open.act('deliver', async (adapter, signal) => {
      const results = await run(take(adapter), messages, signal)
      return results.map(result => outcomeOf(open, adapter, result))
    })
    if (answer.ok) {
      if (answer.value.some(({ kind }) => kind === 'delivered')) open.pause.passed()
      return answer.value
    }
    if (messages.length > 1 && isAboutContent(answer.fault)) {
      const outcomes: Outcome[] = []
      for (const message of messages) outcomes.push(...(await deliverPortion([message])))
      return outcomes
    }
    return messages.map(() => failed(answer.fault))
  }
  return async messages => {
    const problems = messages.map(wrong)
    const outcomes: Outcome[] = problems.map(problem => failed(faultOf('invalid', problem ?? '')))
    const right = [...messages.keys()].filter(index => problems[index] === null)
    for (const portion of split(right, index => messages[index]!, options)) {
      const results = await deliverPortion(portion.map(index => messages[index]!))
      for (const [nth, index] of portion.entries()) outcomes[index] = results[nth]!
    }
    return outcomes
  }
}

/** In portions of at most `batch` messages and `batchBytes` bytes; a larger message goes alone. */
function split<M>(
  indexes: readonly number[],
  get: (index: number) => M,
  { batch, batchBytes, sizeOf }: DeliveryOptions<M>,
): number[][] {
  const portions: number[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const index of indexes) {
    const size = sizeOf(get(index))
    if (bytes + size > batchBytes || portions.at(-1)!.length >= batch) {
      portions.push([])
      bytes = 0
    }
    portions.at(-1)!.push(index)
    bytes += size
  }
  return portions
}

async function run<M>(
  deliver: ((messages: readonly M[], signal: AbortSignal) => Promise<readonly Result[]>) | undefined,
  messages: readonly M[],
  signal: AbortSignal,
): Promise<readonly Result[]> {
  if (deliver === undefined) throw new Error('the adapter does not deliver what its type says')
  const results = await deliver(messages, signal)
  if (results.length !== messages.length) {
    throw new Error(`the adapter gave ${results.length} results for ${messages.length} messages`)
  }
  return results
}

function isAboutContent({ code }: Fault): boolean {
  return !FAULTS[code].retry && FAULTS[code].about === 'message'
}

function outcomeOf(open: DeliveryOptions<never>['open'], adapter: Adapter, result: Result): Outcome {
  if ('reference' in result) {
    const { reference, remark = null } = result
    return { kind: 'delivered', reference, remark: remark === null ? null : open.readable(remark) }
  }
  return failed('fault' in result ? open.tidy(result.fault) : open.read(result.error, adapter))
}

function failed(fault: Fault): Outcome {
  return { kind: FAULTS[fault.code].retry ? 'retry' : 'dead', fault }
}
