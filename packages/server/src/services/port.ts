/**
 * A service as the rest of the server sees it, and as an adapter has to be written.
 *
 * An adapter is one folder with one `ServiceType`: what its credentials mean, which functions it can serve, and `open`,
 * which alone loads the provider's library. It says what happened in its own words and may throw; `openService` makes
 * every failure a `Fault`, bounds every act in time, keeps to what the service asked for when it was throttled, and takes
 * every secret out of every text. So none of that can be forgotten by an adapter.
 */
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { CallName, Calls } from './calls.ts'
import type { CredentialRules, Credentials } from './credentials.ts'
import type { Email } from './email.ts'
import type { Answer, Fault } from './faults.ts'
import type { Inbox } from './inbox.ts'
import type { Note } from './note.ts'
import type { Outside } from './outside.ts'

/** What a service can be used for by an org. */
export const FUNCTIONS = ['email', 'detail', 'storage', 'push', 'event'] as const
export type FunctionName = (typeof FUNCTIONS)[number]

/** What became of one message of a batch. */
export type Outcome =
  /** `reference`: the service's own id of it, if it gave one; `remark`: what else it said, such as recipients it refused. */
  | { readonly kind: 'delivered'; readonly reference: string | null; readonly remark: string | null }
  /** Try this message again, not before `fault.retryAfterMs` if that is given. */
  | { readonly kind: 'retry'; readonly fault: Fault }
  /** Trying again cannot help. */
  | { readonly kind: 'dead'; readonly fault: Fault }

/** Takes a batch of any size; answers with one outcome for each message, in their order. Never throws. */
export type Deliver<M> = (messages: readonly M[]) => Promise<readonly Outcome[]>

export interface Service {
  readonly type: ServiceType
  /** Reaches the service with its credentials, and says in a sentence or two what it found. */
  check(): Promise<Answer<string>>
  /** For how much longer the service asked to be left alone, in milliseconds; 0: not at all. */
  restMs(): number
  /** Has exactly those of the type's functions that take messages. */
  readonly deliver: { readonly email?: Deliver<Email>; readonly push?: Deliver<Note>; readonly event?: Deliver<Note> }
  /** Has exactly the type's calls. */
  readonly calls: { readonly [C in CallName]?: (input: Calls[C]['input']) => Promise<Answer<Calls[C]['value']>> }
  /** Ends its connections; what is under way may fail. */
  close(): Promise<void>
}

/** What `app.ts` hands in: the world as services may see it. */
export interface Means {
  readonly outside: Outside
  readonly clock: Clock
  readonly log: Log
  /** Posthorn's, for the user agent. */
  readonly version: string
  /** What this service keeps to be looked at. Only stand-ins keep anything. */
  readonly inbox: Inbox
  /** Where a provider's API is instead of its usual place: a compatible server of the installation's own, or a test. */
  readonly endpoint?: (service: string) => string | null
}

export interface ServiceType {
  readonly name: string
  /** The provider's name. */
  readonly title: string
  readonly summary: string
  readonly credentials: CredentialRules
  readonly functions: readonly FunctionName[]
  /** Messages that one request or one pass can take. */
  readonly batch: number
  /** Bytes of all messages in it together, where the service bounds them. A single message may be larger, and be refused. */
  readonly batchBytes?: number
  readonly calls: readonly CallName[]
  /** The one place where the provider's library may be loaded, by `await import`. */
  open(credentials: Credentials, means: Means): Promise<Adapter>
}

/** What became of one message, as an adapter gives it: taken, refused, or an error that is still to be read. */
export type Result = Taken | { readonly fault: Fault } | { readonly error: unknown }
export interface Taken {
  readonly reference: string | null
  readonly remark?: string | null
}

/** What an adapter implements. Everything may throw: a `FaultError`, or an error that `classify` or the network explains. */
export interface Adapter {
  check(signal: AbortSignal): Promise<string>
  readonly email?: (emails: readonly Email[], signal: AbortSignal) => Promise<readonly Result[]>
  readonly note?: (notes: readonly Note[], signal: AbortSignal) => Promise<readonly Result[]>
  readonly calls?: {
    readonly [C in CallName]?: (input: Calls[C]['input'], signal: AbortSignal) => Promise<Calls[C]['value']>
  }
  /** Reads an error of the provider's library; null if it is not one of its answers. */
  classify?(error: unknown): Fault | null
  close?(): Promise<void>
}
