import type { Readable } from 'node:stream'
import type { Fault } from './faults.ts'
import type { InboxEntry } from './inbox.ts'

/** What can be asked of a service besides delivering: each call with what goes in and the value that comes back. */
export interface Calls {
  lookup: { input: LookupInput; value: Detail }
  fetchFile: { input: FetchFileInput; value: OpenFile }
  fetchFiles: { input: FetchFilesInput; value: FetchedFiles }
  listTemplates: { input: Record<never, never>; value: readonly ProviderTemplate[] }
  createPaymentIntent: { input: StripeInput; value: StripeObject }
  createCustomer: { input: StripeInput; value: StripeObject }
  createPrice: { input: StripeInput; value: StripeObject }
  createSubscription: { input: StripeInput; value: StripeObject }
  savePost: { input: SavePostInput; value: SavedPost }
  jsonRequest: { input: JsonRequestInput; value: JsonAnswer }
  awsRequest: { input: AwsRequestInput; value: JsonAnswer }
  inbox: { input: Record<never, never>; value: readonly InboxEntry[] }
}

export type CallName = keyof Calls

/** Each call in one sentence, for the reference; in the order of the reference. */
export const CALLS: Readonly<Record<CallName, string>> = {
  lookup:
    'What is known of a supporter: POSTs `{email, contactRef}`, and checks the `privacy` and `action.customFields` of the answer.',
  fetchFile: 'Opens one file by `bucket/path` as a stream that ends with an error beyond its bound.',
  fetchFiles: 'Fetches several files whole. What was fetched before a failure is returned with it.',
  listTemplates: "The provider's own email templates.",
  createPaymentIntent: 'Creates a payment intent. An idempotency key makes a repeated call return the first.',
  createCustomer: 'Creates a customer.',
  createPrice: 'Creates a price.',
  createSubscription: 'Creates a subscription.',
  savePost: 'Creates a post, or updates it if an id is given.',
  jsonRequest: "An org's own request to its service, with the service's credentials; only to the service's own host.",
  awsRequest: "An org's own request to any AWS API of its region, signed with its keys.",
  inbox: 'What a stand-in was given within a day on any node, the newest first; 200 at most.',
}

export interface LookupInput {
  readonly email: string
  readonly contactRef: string | null
}

export interface Detail {
  readonly privacy: {
    readonly optIn?: boolean
    readonly givenAt?: string
    readonly emailStatus?: string
    readonly emailStatusChanged?: string
  } | null
  readonly action: { readonly customFields: Readonly<Record<string, unknown>> } | null
}

export interface FetchFileInput {
  /** `bucket/path`; in the default bucket, where there is one, a path that begins with `/` or has no other `/`. */
  readonly path: string
  readonly maxBytes: number
}

export interface OpenFile {
  readonly path: string
  readonly contentType: string
  /** As announced; null if it was not. */
  readonly bytes: number | null
  /** Ends with a FaultError if it breaks off, stalls, or grows beyond the bound. Destroy it if it is not read. */
  readonly stream: Readable
}

export interface FetchFilesInput {
  readonly paths: readonly string[]
  /** For all of them together. */
  readonly maxBytes: number
}

export interface FetchedFiles {
  readonly files: readonly { readonly path: string; readonly contentType: string; readonly content: Buffer }[]
  /** Why the next file could not be fetched, and those behind it were not tried. */
  readonly failure: { readonly path: string; readonly fault: Fault } | null
}

export interface ProviderTemplate {
  /** What an email's `template.reference` names. */
  readonly reference: string
  readonly name: string
}

export interface StripeInput {
  /** As Stripe documents them for this object. */
  readonly params: Readonly<Record<string, unknown>>
  readonly idempotencyKey: string | null
}

export interface StripeObject {
  readonly id: string
  readonly [field: string]: unknown
}

export interface SavePostInput {
  /** Null creates. */
  readonly id: number | null
  /** As the REST route takes them: title, content, status … */
  readonly fields: Readonly<Record<string, unknown>>
}

export interface SavedPost {
  readonly id: number
  readonly link: string | null
  readonly status: string | null
}

export interface JsonRequestInput {
  /** A path, or a URL at the service's own host. */
  readonly url: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as a form, instead of `body`. */
  readonly form?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /**
   * How the credentials go with it, if not in the service's own way: basic auth of user and password, the password as
   * the Authorization header as it stands, or the password in a header of that name.
   */
  readonly auth?: 'basic' | 'header' | { readonly apiKey: string } | 'none'
}

export interface JsonAnswer {
  readonly status: number
  /** Null if the answer has no body: done, no data. */
  readonly body: unknown
}

export interface AwsRequestInput {
  /** The API's name in its host and signature: `sqs`, `email` (for SES), `s3`, `lambda` … */
  readonly service: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with `/`. */
  readonly path?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
