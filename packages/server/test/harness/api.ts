/** Posthorn's REST API as the stories use it: plain fetch, so that nothing of ours stands between a story and the server. */

export interface QueueRow {
  readonly id: number
  readonly name: string
  readonly pausedAt: string | null
}

export interface MessageRow {
  readonly id: number
  readonly queueId: number
  readonly body: string | null
  readonly status: 'pending' | 'delivered' | 'dead' | 'cancelled' | 'expired'
  readonly attempts: number
  readonly webhookId: string
}

interface PutResult {
  readonly result: 'stored' | 'repeated' | 'error'
  readonly id: number | null
  readonly error?: { readonly code: string; readonly message: string }
}

export interface NewQueue {
  readonly callbackUrl: string
  readonly name?: string
  readonly [field: string]: unknown
}

/** An answer that is not 2xx. */
export class ApiError extends Error {
  readonly status: number
  readonly problem: Readonly<Record<string, unknown>>

  constructor(method: string, path: string, status: number, text: string) {
    super(`${method} ${path}: ${status} ${text}`)
    this.name = 'ApiError'
    this.status = status
    this.problem = text.startsWith('{') ? JSON.parse(text) : { message: text }
  }
}

const PAGE = 100
let queuesMade = 0

export class Api {
  readonly url: string
  readonly #timeoutMs: number
  readonly #headers: Readonly<Record<string, string>>

  constructor(url: string, timeoutMs = 10_000, headers: Readonly<Record<string, string>> = {}) {
    this.url = url
    this.#timeoutMs = timeoutMs
    this.#headers = headers
  }

  /** The same for another org, as the operator acts for it. */
  as(org: string): Api {
    return new Api(this.url, this.#timeoutMs, { ...this.#headers, 'x-posthorn-org': org })
  }

  /** The data of a query that must go well. */
  async graphql<Data>(query: string, variables: object = {}): Promise<Data> {
    const answer = await this.post<{ data: Data; errors?: unknown }>('/graphql', { query, variables })
    if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors))
    return answer.data
  }

  /** Makes a queue that retries at once and often, so that a story never waits for a backoff. */
  createQueue(queue: NewQueue): Promise<QueueRow> {
    queuesMade += 1
    const defaults = { name: `story ${process.pid} ${queuesMade}`, method: 'POST', maxRetries: 100 }
    return this.post('/queues/', { ...defaults, backoff: { delaysMs: [50], jitter: 0 }, ...queue })
  }

  put(queueId: number, body: string, more: Readonly<Record<string, unknown>> = {}): Promise<MessageRow> {
    return this.post('/messages/', { queueId, body, ...more })
  }

  /** Puts up to 1000 at once. Gives the ids in the order of the messages. @throws Error if one of them was refused */
  async putMany(messages: readonly { queueId: number; body: string; key?: string }[]): Promise<number[]> {
    const { results } = await this.post<{ results: PutResult[] }>('/messages/bulk', { messages })
    return results.map(({ id, error }) => {
      if (id === null || error) throw new Error(`a message was refused: ${error?.code} ${error?.message}`)
      return id
    })
  }

  async count(where: string): Promise<number> {
    const response = await this.#send('GET', `/messages/?limit=0&totalCount=true&${where}`)
    await response.arrayBuffer()
    return Number(response.headers.get('x-total-count'))
  }

  /** Every message that the filter finds, page by page. */
  async list(where: string): Promise<MessageRow[]> {
    const rows: MessageRow[] = []
    for (;;) {
      const last = rows.at(-1)
      const after = last ? `&where.id.gt=${last.id}` : ''
      const page = await this.get<MessageRow[]>(`/messages/?limit=${PAGE}&orderby.id=asc&${where}${after}`)
      rows.push(...page)
      if (page.length < PAGE) return rows
    }
  }

  /** The answer itself, to be read as it comes. */
  open(path: string): Promise<Response> {
    return this.#send('GET', path)
  }

  async get<Answer>(path: string): Promise<Answer> {
    return (await this.#send('GET', path)).json() as Promise<Answer>
  }

  async change<Answer>(path: string, body: unknown): Promise<Answer> {
    return (await this.#send('PUT', path, body)).json() as Promise<Answer>
  }

  async post<Answer>(path: string, body: unknown): Promise<Answer> {
    return (await this.#send('POST', path, body)).json() as Promise<Answer>
  }

  async #send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(this.url + path, {
      method,
      signal: AbortSignal.timeout(this.#timeoutMs),
      headers: { ...this.#headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new ApiError(method, path, response.status, await response.text())
    return response
  }
}
