import type { HandledName, Input, Output, Problem } from '@posthorn/contract'
import type { KnownKey } from '../tenant/caller.ts'
import type { Carrier } from '../tracing.ts'
import type { Rights } from './access/rights.ts'

/** Who calls. */
export interface CallContext {
  readonly orgId: number
  /** For records of who did what: `admin`, an API key's name, a user. */
  readonly actor: string
  /** Null is everything: the admin's. Handlers that went through `guard` heed it. */
  readonly rights: Rights | null
  /** When the caller's token runs out, in milliseconds since 1970: a subscription ends then. Null is never. */
  readonly until: number | null
  /** What the caller calls with, where that is an API key. */
  readonly key?: KnownKey | null
  /** Whether what the caller showed is still good, for what goes on after the call: a key may be revoked meanwhile. */
  readonly stillHolds?: () => Promise<boolean>
  /** The trace that the call belongs to; absent where it named none. */
  readonly trace?: Carrier
}

/** The caller, in the trace that its call belongs to, if any. */
export function withTrace(caller: CallContext, trace: Carrier | null): CallContext {
  return trace === null ? caller : { ...caller, trace }
}

/** The caller, or why there is none. */
export type Admitted = CallContext | Problem

/** What carries out the operations. One that is missing does not compile; an expected failure is a thrown `Problem`. */
export type Handlers = {
  readonly [K in HandledName]: (context: CallContext, input: Input<K>) => Promise<Output<K>>
}

/** A handler once its operation is no longer known by name. Its input has passed the operation's schema. */
export type AnyHandler = (context: CallContext, input: never) => Promise<unknown>
