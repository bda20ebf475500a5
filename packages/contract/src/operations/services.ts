import { Type } from '@sinclair/typebox'
import { act, list, row, typed } from '../operation.ts'
import { type ServiceCreate, service } from '../resources/service.ts'
import { RecordId, Text } from '../schema.ts'

const id = { id: RecordId }
export const OrgName = Text({
  minLength: 1,
  maxLength: 255,
  description: 'Which org; your own if it is left out. Others are for the operator alone.',
})

const Json = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
const texts = Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } })
const Method = Type.Unsafe<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'>({
  type: 'string',
  enum: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
})
/** Any JSON value: no type is no bound. */
const Anything = Type.Unsafe<unknown>({})
const failures = ['service_not_found', 'service_cannot', 'service_failed'] as const

const Answered = Type.Object({
  status: Type.Integer(),
  body: Type.Unsafe<unknown>({ description: 'Null: done, no data.' }),
})

interface JsonRequest {
  url: string
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  body?: unknown
  form?: Record<string, string>
  headers?: Record<string, string>
  auth?: string
}

interface AwsRequest {
  service: string
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path?: string
  query?: Record<string, string>
  headers?: Record<string, string>
  body?: string
}

const Created = Type.Object({
  id: Type.String(),
  object: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
})

const stripe = (path: string, what: string) =>
  act({
    verb: 'POST',
    path: `/services/{id}/${path}`,
    scope: 'service:save',
    summary: `Creates a ${what} at Stripe. An idempotency key makes a repeated call return the first.`,
    errors: failures,
    params: id,
    input: Type.Object({ params: Json, idempotencyKey: Type.Optional(Text({ minLength: 1, maxLength: 255 })) }),
    _input: typed<{ params: Record<string, unknown>; idempotencyKey?: string }>(),
    output: Created,
  })

export const serviceOperations = {
  'services.list': list(service, {
    verb: 'GET',
    path: '/services/',
    scope: 'service:find',
    summary: 'Lists services.',
  }),
  'services.upsert': row(service, {
    verb: 'POST',
    path: '/services/',
    scope: 'service:save',
    broad: true,
    summary:
      'Stores a service. With an id it changes that one, whose name stays; without, the latest of that name, or makes the first. Fields left out keep their value.',
    errors: ['org_unknown', 'service_not_found', 'service_name_fixed', 'service_invalid'],
    input: Type.Object({ orgName: Type.Optional(OrgName), id: Type.Optional(RecordId), ...service.create.properties }),
    _input: typed<ServiceCreate & { orgName?: string; id?: number }>(),
  }),
  'services.get': row(service, {
    verb: 'GET',
    path: '/services/{id}',
    scope: 'service:find',
    summary: 'Gives a service, without its password.',
    errors: ['service_not_found'],
    params: id,
  }),
  'services.delete': row(service, {
    verb: 'DELETE',
    path: '/services/{id}',
    scope: 'service:delete',
    summary: 'Deletes a service; not while it is attached.',
    errors: ['service_not_found', 'service_attached'],
    params: id,
  }),
  'services.check': act({
    verb: 'POST',
    path: '/services/{id}/check',
    scope: 'service:save',
    summary: 'Reaches the service with its credentials, and says what was found.',
    errors: ['service_not_found'],
    params: id,
    output: Type.Object({
      ok: Type.Boolean(),
      message: Type.String(),
      fault: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'How it failed, in a word.' }),
    }),
  }),
  'services.listTemplates': act({
    verb: 'GET',
    path: '/services/{id}/templates',
    scope: 'service:find',
    summary: 'Lists the email templates that the provider keeps.',
    errors: failures,
    params: id,
    output: Type.Object({
      templates: Type.Array(Type.Object({ reference: Type.String(), name: Type.String() })),
    }),
  }),
  'services.inbox': act({
    verb: 'GET',
    path: '/services/{id}/inbox',
    scope: 'service:find',
    alsoScopes: ['message:find'],
    summary:
      'What a stand-in (testmail, testdetail) was given within a day on any node, the newest first; 200 at most.',
    errors: failures,
    params: id,
    output: Type.Object({ entries: Type.Array(Json) }),
  }),
  'services.jsonRequest': act({
    verb: 'POST',
    path: '/services/{id}/json-request',
    scope: 'service:save',
    summary:
      'A request of the org’s own to its service, with the service’s credentials; only to the service’s own host.',
    errors: failures,
    params: id,
    input: Type.Object({
      url: Text({ minLength: 1, maxLength: 4096, description: 'A path, or a URL at the service’s own host.' }),
      method: Type.Optional(Method),
      body: Type.Optional(Anything),
      form: Type.Optional({ ...texts, description: 'Sent as a form, instead of body.' } as typeof texts),
      headers: Type.Optional(texts),
      auth: Type.Optional(
        Text({
          maxLength: 128,
          description:
            'basic, header (the password as the Authorization header), none, or apiKey:<name> (the password in the header of that name); in the service’s own way if it is left out.',
        }),
      ),
    }),
    _input: typed<JsonRequest>(),
    output: Answered,
  }),
  'services.awsRequest': act({
    verb: 'POST',
    path: '/services/{id}/aws-request',
    scope: 'service:save',
    summary: 'A request of the org’s own to any AWS API of the service’s region, signed with its keys.',
    errors: failures,
    params: id,
    input: Type.Object({
      service: Text({ minLength: 1, maxLength: 64, description: 'sqs, email (for SES), s3, lambda …' }),
      method: Type.Optional(Method),
      path: Type.Optional(Text({ maxLength: 4096 })),
      query: Type.Optional(texts),
      headers: Type.Optional(texts),
      body: Type.Optional(Type.String({ maxLength: 1_000_000 })),
    }),
    _input: typed<AwsRequest>(),
    output: Answered,
  }),
  'services.createPaymentIntent': stripe('payment-intents', 'payment intent'),
  'services.createCustomer': stripe('customers', 'customer'),
  'services.createPrice': stripe('prices', 'price'),
  'services.createSubscription': stripe('subscriptions', 'subscription'),
  'services.savePost': act({
    verb: 'POST',
    path: '/services/{id}/posts',
    scope: 'service:save',
    summary: 'Creates a post in WordPress, or updates the one whose id is given.',
    errors: failures,
    params: id,
    input: Type.Object({ post: Type.Optional(RecordId), fields: Json }),
    _input: typed<{ post?: number; fields: Record<string, unknown> }>(),
    output: Type.Object({
      post: Type.Integer(),
      link: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
      status: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
    }),
  }),
}
