/** Services, workers and templates on maps, for tests of the edge. */
import { Readable } from 'node:stream'
import {
  type Download,
  type Message,
  Problem,
  type ProcessingRow,
  type Service,
  type Template,
  type Worker,
} from '@posthorn/contract'
import type { Handlers } from '../../src/api/handlers.ts'

const NOW = '2026-01-01T00:00:00.000Z'

export interface FakeBackend {
  readonly services: Map<number, Service>
  readonly workers: Map<number, Worker>
  readonly templates: Map<number, Template>
  /** What a download gives. */
  file: () => Download
}

type Parts = 'services' | 'workers' | 'processing' | 'templates' | 'emails' | 'details' | 'files'
type Faked = Pick<Handlers, Extract<keyof Handlers, `${Parts}.${string}`>>

/** An empty one. */
export const noFile = (): Download => ({ contentType: 'text/plain', bytes: 0, stream: Readable.from([]) })

const processing: ProcessingRow = {
  orgName: 'a',
  emailFrom: null,
  emailBackend: null,
  detailBackend: null,
  storageBackend: null,
  pushBackend: null,
  eventBackend: null,
}

export function fakeBackendHandlers(backend: FakeBackend, put: (body: string) => Message): Faked {
  const { services, workers, templates } = backend
  const find = <T>(all: Map<number, T>, id: number, missing: () => Problem): T => {
    const found = all.get(id)
    if (!found) throw missing()
    return found
  }
  const service = (id: number) => find(services, id, () => new Problem('service_not_found', { id }))
  const worker = (id: number) => find(workers, id, () => new Problem('worker_not_found', { id }))
  const template = (id: number) => find(templates, id, () => new Problem('template_not_found', { id }))
  const removed = <T>(all: Map<number, T>, id: number, row: T): T => {
    all.delete(id)
    return row
  }
  const stripe = async (_: unknown, { id }: { id: number }) => ({ id: `cus_${service(id).id}`, object: {} })
  const done = { status: 200, body: null }
  return {
    'services.list': async (_, query) => page([...services.values()], query),
    'services.get': async (_, { id }) => service(id),
    'services.upsert': async (_, { name }) => {
      const row = { ...emptyService, id: services.size + 1, name }
      services.set(row.id, row)
      return row
    },
    'services.delete': async (_, { id }) => removed(services, id, service(id)),
    'services.check': async (_, { id }) => ({ ok: true, message: service(id).name, fault: null }),
    'services.listTemplates': async (_, { id }) => ({ templates: service(id) ? [] : [] }),
    'services.inbox': async (_, { id }) => ({ entries: service(id) ? [] : [] }),
    'services.jsonRequest': async (_, { id }) => (service(id) ? done : done),
    'services.awsRequest': async (_, { id }) => (service(id) ? done : done),
    'services.createPaymentIntent': stripe,
    'services.createCustomer': stripe,
    'services.createPrice': stripe,
    'services.createSubscription': stripe,
    'services.savePost': async (_, { id }) => ({ post: service(id).id, link: null, status: null }),
    'workers.list': async (_, query) => page([...workers.values()], query),
    'workers.get': async (_, { id }) => worker(id),
    'workers.start': async (_, { id }) => worker(id),
    'workers.stop': async (_, { id }) => worker(id),
    'workers.restart': async (_, { id }) => worker(id),
    'processing.get': async () => processing,
    'processing.update': async () => processing,
    'templates.list': async (_, query) => page([...templates.values()], query),
    'templates.get': async (_, { id }) => template(id),
    'templates.upsert': async (_, { name, subject }) => {
      const row = { ...emptyTemplate, id: templates.size + 1, name, subject }
      templates.set(row.id, row)
      return row
    },
    'templates.delete': async (_, { id }) => removed(templates, id, template(id)),
    'emails.send': async (_, input) => put(JSON.stringify(input)),
    'details.lookup': async () => ({ privacy: null, action: null }),
    'files.download': async () => backend.file(),
    'files.fetch': async () => ({ files: [], failure: null }),
  }
}

interface PageQuery {
  readonly limit: number
  readonly offset: number
  readonly totalCount: boolean
}

const page = <T>(rows: T[], { limit, offset, totalCount }: PageQuery) => ({
  items: rows.slice(offset, offset + limit),
  totalCount: totalCount ? rows.length : null,
})

const emptyService: Service = {
  id: 1,
  orgName: 'a',
  name: 'testmail',
  host: null,
  user: null,
  path: null,
  hasPassword: false,
  attachedTo: [],
  createdAt: NOW,
  updatedAt: NOW,
  version: 1,
}

const emptyWorker: Worker = {
  id: 1,
  orgName: 'a',
  function: 'email',
  queueName: 'org.a.email',
  state: 'running',
  service: 'testmail',
  serviceId: 1,
  system: false,
  node: 'n',
  since: NOW,
  waiting: 0,
  inFlight: 0,
  lastError: null,
  lastErrorAt: null,
}

const emptyTemplate: Template = {
  id: 1,
  orgName: 'a',
  name: 'thanks',
  locale: null,
  subject: 's',
  text: null,
  html: null,
  createdAt: NOW,
  updatedAt: NOW,
}

/** One of each. */
export function seedBackend({ services, workers, templates }: FakeBackend): void {
  for (const records of [services, workers, templates]) records.clear()
  services.set(1, emptyService)
  workers.set(1, emptyWorker)
  templates.set(1, emptyTemplate)
}
