import { type AddressGuard, portOf } from './guard.ts'
import type { Failure } from './outcome.ts'

/** Where a URL leads, read once and used for every message. */
export interface Target {
  /** Org and origin: requests with the same key share connections. */
  readonly key: string
  /** Scheme, host and port. */
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
  readonly #known = new Map<number, Map<string, TargetOrFailure>>()
  #size = 0

  constructor(guard: AddressGuard) {
    this.#guard = guard
  }

  get(url: string, orgId: number): TargetOrFailure {
    return this.#known.get(orgId)?.get(url) ?? this.#add(url, orgId)
  }

  #add(url: string, orgId: number): TargetOrFailure {
    if (this.#size >= MAX_TARGETS) {
      this.#known.clear()
      this.#size = 0
    }
    const ofOrg = this.#known.get(orgId) ?? new Map<string, TargetOrFailure>()
    const target = this.#read(url, orgId)
    this.#known.set(orgId, ofOrg.set(url, target))
    this.#size += 1
    return target
  }

  #read(text: string, orgId: number): TargetOrFailure {
    if (!URL.canParse(text)) return { code: 'invalid_request', error: 'the URL cannot be read' }
    const url = new URL(text)
    if (url.username !== '' || url.password !== '') {
      const error = 'the URL must not hold a user or password: give them in an Authorization header'
      return { code: 'invalid_request', error }
    }
    const refused = this.#guard.refuseUrl(url)
    if (refused !== null) return { code: 'address_refused', error: refused }
    return {
      key: `${orgId} ${url.origin}`,
      origin: url.origin,
      secure: url.protocol === 'https:',
      host: url.hostname,
      port: portOf(url),
      path: url.pathname + url.search,
    }
  }
}
