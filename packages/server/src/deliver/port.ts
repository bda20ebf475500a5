/** One attempt, as the dispatcher sees it: a request goes in, an outcome comes out, and nothing is thrown. */

export interface OutgoingRequest {
  /** Whose it is: connections are never shared between orgs. */
  readonly orgId: number
  readonly method: string
  readonly url: string
  /** Queue headers under message headers, merged without regard to case. Flat: name, value, name, value. */
  readonly headers: readonly string[]
  readonly body: Buffer | null
  /** Bound on the whole attempt: address, connection, request and the end of the response. */
  readonly timeoutMs: number
  readonly followRedirects: boolean
}

export interface Outcome {
  readonly kind: 'delivered' | 'failed' | 'refused' | 'gone'
  readonly status: number | null
  /** One of the catalogue in `outcome.ts`: `http_status`, `timeout`, `dns`, `tls`, `connect`, `reset`, `address_refused` … */
  readonly errorCode: string | null
  /** One sentence for a person, without secrets. */
  readonly error: string | null
  /** The beginning of the response's body, bounded. */
  readonly excerpt: string | null
  /** What the receiver asked for with Retry-After, within bounds. */
  readonly retryAfterMs: number | null
  readonly durationMs: number
}

export interface Sender {
  /** Connections that it holds, or is making. */
  readonly sockets: number
  /** Sends once. Always calls `done` exactly once, and never synchronously. */
  send(request: OutgoingRequest, done: (outcome: Outcome) => void): void
  /** Lets what is under way finish for at most `deadlineMs` from now, then ends it as `shutdown` and closes every connection. */
  stop(deadlineMs: number): Promise<void>
}
