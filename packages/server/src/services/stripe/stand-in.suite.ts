import { secretWord } from '../../../test/leaks/marked.ts'
import type { Service } from '../port.ts'
import { json, NO_CREDENTIALS, type OnEnd, type Replied, type StandIn, startHttp } from '../stand-in.suite.ts'

const KEY = `sk_test_${secretWord()}`

/** Stripe: forms in, JSON out; a repeated idempotency key gives the first answer. */
export async function startStripe(onEnd?: OnEnd) {
  const taken: string[] = []
  const kept = new Map<string, Replied>()
  const error = (
    status: number,
    message: string,
    type = 'invalid_request_error',
    code?: string,
    decline_code?: string,
  ): Replied => json(status, { error: { type, message, code, decline_code } })
  const http = await startHttp(
    {
      error: (status, message) => error(status, message, status === 503 ? 'api_error' : undefined),
      answer({ method, url, headers, body }): Replied {
        if (headers.authorization !== `Bearer ${KEY}`)
          return error(401, `Invalid API Key provided: ${headers.authorization?.slice(7)}`)
        if (url.pathname === '/v1/balance') return json(200, { object: 'balance', livemode: false })
        const form = new URLSearchParams(body.toString('utf8'))
        if (form.get('amount') === '402')
          return error(402, 'Your card was declined.', 'card_error', 'card_declined', 'insufficient_funds')
        if (form.get('amount') === '409') return error(409, 'in use', 'idempotency_error', 'idempotency_key_in_use')
        if (form.get('amount') === '0')
          return error(400, 'Invalid positive integer', 'invalid_request_error', 'parameter_invalid_integer')
        const key = String(headers['idempotency-key'])
        const before = kept.get(key)
        if (before !== undefined) return before
        const kind = url.pathname.replace('/v1/', '')
        taken.push(kind)
        const replied = json(200, {
          id: `${kind}_${taken.length}`,
          object: kind,
          method,
          form: Object.fromEntries(form),
        })
        if (headers['idempotency-key'] !== undefined) kept.set(key, replied)
        return replied
      },
    },
    onEnd,
  )
  const credentials = { ...NO_CREDENTIALS, password: KEY }
  const standIn: StandIn = {
    ...http,
    credentials,
    wrong: { ...credentials, password: `sk_test_${secretWord('other')}` },
    endpoint: http.origin,
    taken: () => taken,
    act,
  }
  return { ...standIn, asked: http.asked }
}

async function act(service: Service) {
  const answer = await service.calls.createCustomer!({ params: { email: 'ann@a.example' }, idempotencyKey: null })
  return answer.ok ? null : answer.fault
}
