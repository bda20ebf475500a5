/**
 * Tells whether code runs inside a transaction that holds the only session there is.
 *
 * A statement through the outer handle would then wait for the session that its own transaction holds: for ever, if the
 * transaction waits for it. Only the embedded database pays for this (AsyncLocalStorage makes promises slower on Node 20).
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { DatabaseError } from './port.ts'

export class TransactionGuard {
  readonly #inside = new AsyncLocalStorage<{ open: boolean }>()

  async run<T>(work: () => Promise<T>): Promise<T> {
    // Timers and callbacks set up in a transaction carry its context on after it has ended: hence the flag.
    const transaction = { open: true }
    try {
      return await this.#inside.run(transaction, work)
    } finally {
      transaction.open = false
    }
  }

  isInside(): boolean {
    return this.#inside.getStore()?.open ?? false
  }

  refusal(): DatabaseError {
    return new DatabaseError(
      'a statement inside a transaction must go through the transaction: the embedded database has one session, and it would wait for itself',
      'rejected',
    )
  }
}
