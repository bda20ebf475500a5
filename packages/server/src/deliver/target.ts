import { type AddressGuard, portOf } from './guard.ts'
import type { Failure } from './outcome.ts'

/** Where a URL leads, read once and used for every message. */
export interface Target {
  /** Scheme, host and port: requests with the same origin share connections. */
  readonly origin: string
  readonly secure: boolean
  readonly host: string
  readonly port: number
  /** Path and query. */
  readonly path: string
}

export type TargetOrFailure = Target | Failure

/** Enough for the queues that a node serves at one time; when it is full it starts over. */
const MAX_TARGETS = 10_000

/** Reads URLs and asks the guard about them; a literal address is judged here, because no lookup will see it. */
export class Targets {
  readonly #guard: AddressGuard
  readonly #known = new Map<string, TargetOrFailure>()

  constructor(guard: AddressGuard) {
    this.#guard = guard
  }

  get(url: string): TargetOrFailure {
    const known = this.#known.get(url)
    if (known !== undefined) return known
    if (this.#known.size >= MAX_TARGETS) this.#known.clear()
    const target = this.#read(url)
    this.#known.set(url, target)
    return target
  }

  #read(text: string): TargetOrFailure {
    if (!URL.canParse(text)) return { code: 'invalid_request', error: 'the URL cannot be read' }
    const url = new URL(text)
    if (url.username !== '' || url.password !== '') {
      const error = 'the URL must not hold a user or password: give them in an Authorization header'
      return { code: 'invalid_request', error }
    }
    const refused = this.#guard.refuseUrl(url)
    if (refused !== null) return { code: 'address_refused', error: refused }
    return {
      origin: url.origin,
      secure: url.protocol === 'https:',
      host: url.hostname,
      port: portOf(url),
      path: url.pathname + url.search,
    }
  }
}
