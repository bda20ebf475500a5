import { Type } from '@sinclair/typebox'
import { EmailInput } from '../email-input.ts'
import { act, download, list, row, typed } from '../operation.ts'
import { message } from '../resources/message.ts'
import { type TemplateCreate, template } from '../resources/template.ts'
import { worker } from '../resources/worker.ts'
import { Nullable, RecordId, Text } from '../schema.ts'
import { type BackendField, backendFieldOf, serviceFunctions } from '../services.ts'
import { OrgName } from './services.ts'

const id = { id: RecordId }
const orgName = { orgName: Type.Optional(OrgName) }

const Backend = Nullable(
  Text({
    maxLength: 64,
    description:
      'A service by its name (the latest of that name) or id, SYSTEM for the instance org’s, or null for none.',
  }),
)
const backendFields = Object.fromEntries(
  serviceFunctions.map(name => [backendFieldOf(name), Type.Optional(Backend)]),
) as Record<BackendField, typeof Backend>

const Processing = Type.Object({
  orgName: Type.String(),
  emailFrom: Nullable(Type.String({ description: 'From whom its emails are.' })),
  ...Object.fromEntries(
    serviceFunctions.map(name => [
      backendFieldOf(name),
      Nullable(Type.String({ description: `What its ${name} uses: a service’s name, SYSTEM, or null.` })),
    ]),
  ),
}) as unknown as ReturnType<typeof Type.Unsafe<ProcessingRow>>

export type ProcessingRow = { orgName: string; emailFrom: string | null } & Record<BackendField, string | null>
export type ProcessingUpdate = { orgName?: string; emailFrom?: string | null } & {
  [F in BackendField]?: string | null
}

const startStop = (verb: 'start' | 'stop' | 'restart', summary: string) =>
  row(worker, {
    verb: 'POST',
    path: `/workers/{id}/${verb}`,
    scope: 'worker:save',
    summary,
    errors: ['worker_not_found'],
    params: id,
  })

export const backendOperations = {
  'workers.list': list(worker, {
    verb: 'GET',
    path: '/workers/',
    scope: 'worker:find',
    summary: 'Lists workers: what runs, where, since when, and how it does.',
  }),
  'workers.get': row(worker, {
    verb: 'GET',
    path: '/workers/{id}',
    scope: 'worker:find',
    summary: 'Gives a worker.',
    errors: ['worker_not_found'],
    params: id,
  }),
  'workers.start': startStop('start', 'Starts a worker that was stopped.'),
  'workers.stop': startStop('stop', 'Stops a worker; its queue still takes messages, and keeps them.'),
  'workers.restart': startStop(
    'restart',
    'Starts a worker anew: with new connections to its service, and a closed circuit breaker.',
  ),
  'processing.get': act({
    verb: 'GET',
    path: '/processing/',
    scope: 'worker:find',
    summary: 'What services an org uses, and from whom its emails are.',
    errors: ['org_unknown'],
    input: Type.Object(orgName),
    _input: typed<{ orgName?: string }>(),
    output: Processing,
  }),
  'processing.update': act({
    verb: 'PUT',
    path: '/processing/',
    scope: 'worker:save',
    summary: 'Attaches services to the functions of an org, or detaches them; what is left out stays.',
    errors: ['org_unknown', 'backend_unknown', 'backend_unfit', 'backend_circle', 'backend_system_missing'],
    input: Type.Object({
      ...orgName,
      emailFrom: Type.Optional(Nullable(Text({ maxLength: 320, description: 'An email address, or null.' }))),
      ...backendFields,
    }),
    _input: typed<ProcessingUpdate>(),
    output: Processing,
  }),
  'templates.list': list(template, {
    verb: 'GET',
    path: '/templates/',
    scope: 'template:find',
    summary: 'Lists email templates.',
  }),
  'templates.upsert': row(template, {
    verb: 'POST',
    path: '/templates/',
    scope: 'template:save',
    broad: true,
    summary: 'Stores an email template: replaces the one of the same name and locale, or makes it.',
    errors: ['org_unknown', 'template_invalid'],
    input: Type.Object({ ...orgName, ...template.create.properties }),
    _input: typed<TemplateCreate & { orgName?: string }>(),
  }),
  'templates.get': row(template, {
    verb: 'GET',
    path: '/templates/{id}',
    scope: 'template:find',
    summary: 'Gives an email template.',
    errors: ['template_not_found'],
    params: id,
  }),
  'templates.delete': row(template, {
    verb: 'DELETE',
    path: '/templates/{id}',
    scope: 'template:delete',
    summary: 'Deletes an email template.',
    errors: ['template_not_found'],
    params: id,
  }),
  'emails.send': row(message, {
    verb: 'POST',
    path: '/emails/',
    scope: 'message:save',
    broad: true,
    summary: 'Puts an email on the queue of the org’s function email, once it is known to be complete.',
    errors: ['org_unknown', 'function_detached', 'template_unknown', 'idempotency_conflict'],
    input: Type.Object({
      ...orgName,
      ...EmailInput.properties,
      idempotencyKey: Type.Optional(Text({ minLength: 1, maxLength: 255 })),
    }),
    _input: typed<EmailInput & { orgName?: string; idempotencyKey?: string }>(),
  }),
  'details.lookup': act({
    verb: 'POST',
    path: '/details/',
    scope: 'worker:save',
    summary: 'Asks the org’s detail backend what is known of a supporter; answers are remembered for a minute.',
    errors: ['org_unknown', 'function_detached', 'service_failed'],
    input: Type.Object({
      ...orgName,
      email: Text({ minLength: 3, maxLength: 320 }),
      contactRef: Type.Optional(Nullable(Text({ maxLength: 255 }))),
    }),
    _input: typed<{ orgName?: string; email: string; contactRef?: string | null }>(),
    output: Type.Object({
      privacy: Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], additionalProperties: true }),
      action: Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], additionalProperties: true }),
    }),
  }),
  'files.download': download({
    verb: 'GET',
    path: '/files/download',
    scope: 'worker:find',
    // As fetching does: what a storage has is not what workers show.
    alsoScopes: ['worker:save'],
    summary: 'One file of the org’s storage backend, as it comes; an answer that breaks off is not the whole file.',
    errors: ['org_unknown', 'function_detached', 'service_failed'],
    input: Type.Object({
      ...orgName,
      path: Text({ minLength: 1, maxLength: 1024, description: 'bucket/path' }),
      maxBytes: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1_099_511_627_776,
          default: 1_073_741_824,
          description: 'A file that is larger is not sent, or breaks off.',
        }),
      ),
    }),
    _input: typed<{ orgName?: string; path: string; maxBytes?: number }>(),
  }),
  'files.fetch': act({
    verb: 'POST',
    path: '/files/',
    scope: 'worker:save',
    summary: 'Fetches files from the org’s storage backend. What was fetched before a failure is returned with it.',
    errors: ['org_unknown', 'function_detached', 'service_failed'],
    input: Type.Object({
      ...orgName,
      paths: Type.Array(Text({ minLength: 1, maxLength: 1024, description: 'bucket/path' }), {
        minItems: 1,
        maxItems: 50,
      }),
      maxBytes: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 33_554_432, default: 8_388_608, description: 'Of all of them together.' }),
      ),
    }),
    _input: typed<{ orgName?: string; paths: string[]; maxBytes?: number }>(),
    output: Type.Object({
      files: Type.Array(Type.Object({ path: Type.String(), contentType: Type.String(), contentBase64: Type.String() })),
      failure: Type.Unsafe<{ path: string; fault: string; message: string } | null>({
        type: ['object', 'null'],
        additionalProperties: true,
        description: 'Why the next file could not be fetched: {path, fault, message}. Those behind it were not tried.',
      }),
    }),
  }),
}
