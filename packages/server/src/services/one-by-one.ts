import { FAULTS, type Fault, FaultError } from './faults.ts'
import type { Result, Taken } from './port.ts'

export interface OneByOneOptions<M> {
  /** How many at a time. */
  readonly width: number
  readonly send: (message: M) => Promise<Taken>
  /** The fault that an error is, where it is the service's answer. */
  readonly classify: (error: unknown) => Fault | null
}

/**
 * Sends a batch to a service that takes one message a request.
 *
 * A fault of a message is that message's. Any other trouble (throttled, not authorized, no connection) would meet the
 * next message too: no more are begun, and those that were not tried share the error.
 */
export async function sendOneByOne<M>(
  messages: readonly M[],
  { width, send, classify }: OneByOneOptions<M>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  let trouble: { readonly error: unknown } | null = null
  const work = async (): Promise<void> => {
    while (next < messages.length && trouble === null) {
      const index = next++
      try {
        results[index] = await send(messages[index]!)
      } catch (error) {
        const fault = error instanceof FaultError ? error.fault : classify(error)
        results[index] = { error }
        if (fault === null || FAULTS[fault.code].about === 'service') trouble = { error }
      }
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return Array.from(messages, (_, index) => results[index] ?? { error: trouble?.error })
}
