import type { Scope } from '@posthorn/contract'
import type { Carrier } from '../tracing.ts'

/** On whose behalf an operation runs: it sees and changes this org's records only. */
export interface Caller {
  readonly orgId: number
  /** What the caller calls with, where that is an API key. */
  readonly key?: KnownKey | null
  /** The trace that what it does belongs to; absent where it named none. */
  readonly trace?: Carrier
}

/** An API key that was shown to us, as far as it is worth knowing. */
export interface KnownKey {
  readonly id: number
  readonly orgId: number
  readonly orgName: string
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  /** In milliseconds since 1970. */
  readonly expiresAt: number | null
}
