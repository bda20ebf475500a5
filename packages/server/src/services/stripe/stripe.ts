import type { Stripe } from 'stripe'
import type { StripeInput, StripeObject } from '../calls.ts'
import { type Fault, type FaultCode, faultOf, readRetryAfter } from '../faults.ts'
import { createJsonRequest } from '../json-request.ts'
import type { ServiceType } from '../port.ts'

const HOME = 'https://api.stripe.com'

export const stripe: ServiceType = stripeType({
  name: 'stripe',
  title: 'Stripe',
  summary: 'Payment intents, customers, prices and subscriptions at Stripe.',
  wrongKey: value => (/^(sk|rk)_/.test(value) ? null : 'be a secret or restricted API key: sk_… or rk_…'),
})

/** A type of its own, so that a test action can never reach real money. */
export const testStripe: ServiceType = stripeType({
  name: 'test_stripe',
  title: 'Stripe in test mode',
  summary: 'As stripe, for test actions: it takes only keys of the test mode.',
  wrongKey: value => (/^(sk|rk)_test_/.test(value) ? null : 'be an API key of the test mode: sk_test_… or rk_test_…'),
})

interface Variant {
  readonly name: string
  readonly title: string
  readonly summary: string
  readonly wrongKey: (value: string) => string | null
}

function stripeType({ name, title, summary, wrongKey }: Variant): ServiceType {
  return {
    name,
    title,
    summary,
    credentials: { fields: { password: { meaning: 'API key', required: true, wrong: wrongKey } } },
    functions: [],
    batch: 1,
    calls: ['createPaymentIntent', 'createCustomer', 'createPrice', 'createSubscription', 'jsonRequest'],
    async open(credentials, means) {
      const { Stripe } = await import('stripe')
      const home = means.endpoint?.(name) ?? HOME
      const { hostname, port, protocol } = new URL(home)
      const connect = (signal: AbortSignal | null) =>
        new Stripe(credentials.password!, {
          host: hostname,
          port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
          protocol: protocol === 'https:' ? 'https' : 'http',
          httpClient: Stripe.createFetchHttpClient((url, init) =>
            means.outside.fetch(url as string, { ...(init as RequestInit), signal }),
          ),
          maxNetworkRetries: 0,
          telemetry: false,
          appInfo: { name: 'posthorn', version: means.version },
        })
      type Create = (client: Stripe) => (params: never, options: Stripe.RequestOptions) => Promise<unknown>
      const create =
        (pick: Create) =>
        async ({ params, idempotencyKey }: StripeInput, signal: AbortSignal): Promise<StripeObject> => {
          const options = idempotencyKey === null ? {} : { idempotencyKey }
          return plain(await pick(connect(signal))(params as never, options))
        }
      return {
        classify: error => classify(title, error, means.clock.now()),
        async check(signal) {
          const balance = await connect(signal).balance.retrieve()
          return `${title} accepts the key, which is for ${balance.livemode ? 'live' : 'test'} mode`
        },
        calls: {
          createPaymentIntent: create(client => client.paymentIntents.create.bind(client.paymentIntents)),
          createCustomer: create(client => client.customers.create.bind(client.customers)),
          createPrice: create(client => client.prices.create.bind(client.prices)),
          createSubscription: create(client => client.subscriptions.create.bind(client.subscriptions)),
          jsonRequest: createJsonRequest({
            means,
            credentials,
            home,
            headers: { authorization: `Bearer ${credentials.password}` },
          }),
        },
      }
    },
  }
}

/** Without the response that the library hangs on it. */
function plain(object: unknown): StripeObject {
  return JSON.parse(JSON.stringify(object)) as StripeObject
}

const BY_TYPE: Readonly<Record<string, FaultCode>> = {
  StripeCardError: 'rejected',
  StripeInvalidRequestError: 'rejected',
  StripeIdempotencyError: 'rejected',
  StripeAuthenticationError: 'unauthorized',
  StripePermissionError: 'unauthorized',
  StripeRateLimitError: 'throttled',
  StripeAPIError: 'unavailable',
}

function classify(title: string, error: unknown, now: number): Fault | null {
  if (!(error instanceof Error)) return null
  const { type = '', code, decline_code, statusCode, headers } = error as Partial<Stripe.errors.StripeError> & Error
  const fault = BY_TYPE[type]
  if (fault === undefined) return null
  if (statusCode === undefined) {
    // Without an answer of Stripe's own: the network explains it, or something else is there.
    const { exception } = (error as { raw?: { exception?: unknown } }).raw ?? {}
    return exception instanceof SyntaxError ? faultOf('wrong_answer', `${title} gave no answer of its own`) : null
  }
  // A repeated request under way: the same key is still being worked on.
  const found = statusCode === 409 && code === 'idempotency_key_in_use' ? 'deferred' : fault
  return faultOf(statusCode === 404 ? 'not_found' : found, `${title} answered ${statusCode}: ${error.message}`, {
    status: statusCode,
    serviceCode: [code, decline_code].filter(Boolean).join(': ') || null,
    retryAfterMs: readRetryAfter(headers?.['retry-after'], now),
  })
}
