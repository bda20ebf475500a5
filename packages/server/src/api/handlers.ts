import type { HandledName, Input, Output } from '@posthorn/contract'

/** Who calls. */
export interface CallContext {
  readonly orgId: number
  /** For records of who did what: `admin`, an API key's name, a user. */
  readonly actor: string
}

/** What carries out the operations. One that is missing does not compile; an expected failure is a thrown `Problem`. */
export type Handlers = {
  readonly [K in HandledName]: (context: CallContext, input: Input<K>) => Promise<Output<K>>
}

/** A handler once its operation is no longer known by name. Its input has passed the operation's schema. */
export type AnyHandler = (context: CallContext, input: never) => Promise<unknown>
