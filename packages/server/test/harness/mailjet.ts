/** Mailjet as far as a story needs it: it takes batches of emails, checks who sends them, and remembers each with its time. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Taken {
  readonly to: string
  readonly from: string
  readonly at: number
}

export class Mailjet {
  readonly taken: Taken[] = []
  readonly batches: number[] = []
  readonly #server: Server
  readonly #authorization: string
  readonly #slowMs: number

  private constructor(user: string, password: string, slowMs: number) {
    this.#authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    this.#slowMs = slowMs
    this.#server = createServer((request, response) => {
      text(request).then(body => {
        const [status, answer] = this.#answer(request.headers.authorization, body)
        setTimeout(() => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
        }, this.#slowMs)
      })
    })
  }

  static async start(user: string, password: string, slowMs = 0): Promise<Mailjet> {
    const mailjet = new Mailjet(user, password, slowMs)
    await new Promise<void>(resolve => mailjet.#server.listen(0, '127.0.0.1', resolve))
    return mailjet
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  #answer(authorization: string | undefined, body: string): [status: number, answer: object] {
    if (authorization !== this.#authorization) return [401, { ErrorMessage: 'API key authentication failure' }]
    const { Messages } = JSON.parse(body) as { Messages: { To: { Email: string }[]; From: { Email: string } }[] }
    const at = performance.now()
    this.batches.push(Messages.length)
    for (const { To, From } of Messages) this.taken.push({ to: To[0]!.Email, from: From.Email, at })
    return [200, { Messages: Messages.map(({ To }) => ({ Status: 'success', To: [{ MessageUUID: To[0]!.Email }] })) }]
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
