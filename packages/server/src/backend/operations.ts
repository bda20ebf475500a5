import type { HandledName, Input, Output } from '@posthorn/contract'
import type { Details } from './details.ts'
import type { Emails } from './emails.ts'
import type { Files } from './files.ts'
import type { Processing } from './processing.ts'
import type { BackendCaller } from './reach.ts'
import type { ServiceCalls } from './service-calls.ts'
import type { Services } from './services.ts'
import type { Templates } from './templates.ts'
import type { Workers } from './workers.ts'

type Of<Part extends string> = {
  readonly [Name in Extract<HandledName, `${Part}.${string}`>]: (
    caller: BackendCaller,
    input: Input<Name>,
  ) => Promise<Output<Name>>
}

interface BackendRoom {
  readonly services: Services
  readonly serviceCalls: ServiceCalls
  readonly workers: Workers
  readonly processing: Processing
  readonly templates: Templates
  readonly emails: Emails
  readonly details: Details
  readonly files: Files
}

type Parts = 'services' | 'workers' | 'processing' | 'templates' | 'emails' | 'details' | 'files'

/** This room's operations by their names in the contract; one that is missing does not compile. */
export function backendOperations(room: BackendRoom): Of<Parts> {
  return { ...ofServices(room), ...ofFunctions(room) }
}

const ofServices = ({ services, serviceCalls }: BackendRoom): Of<'services'> => ({
  'services.list': services.list,
  'services.upsert': services.upsert,
  'services.get': services.get,
  'services.delete': services.delete,
  'services.check': serviceCalls.check,
  'services.listTemplates': serviceCalls.listTemplates,
  'services.inbox': serviceCalls.inbox,
  'services.jsonRequest': serviceCalls.jsonRequest,
  'services.awsRequest': serviceCalls.awsRequest,
  'services.createPaymentIntent': serviceCalls.createPaymentIntent,
  'services.createCustomer': serviceCalls.createCustomer,
  'services.createPrice': serviceCalls.createPrice,
  'services.createSubscription': serviceCalls.createSubscription,
  'services.savePost': serviceCalls.savePost,
})

const ofFunctions = (room: BackendRoom): Of<Exclude<Parts, 'services'>> => ({
  'workers.list': room.workers.list,
  'workers.get': room.workers.get,
  'workers.start': room.workers.start,
  'workers.stop': room.workers.stop,
  'workers.restart': room.workers.restart,
  'processing.get': room.processing.get,
  'processing.update': room.processing.update,
  'templates.list': room.templates.list,
  'templates.upsert': room.templates.upsert,
  'templates.get': room.templates.get,
  'templates.delete': room.templates.delete,
  'emails.send': room.emails.send,
  'details.lookup': room.details.lookup,
  'files.download': room.files.download,
  'files.fetch': room.files.fetch,
})
