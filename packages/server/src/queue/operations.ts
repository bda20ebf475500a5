import type { HandledName, Input, Output } from '@posthorn/contract'
import type { Caller } from '../tenant/caller.ts'
import type { Attempts } from './attempts.ts'
import type { Crons } from './crons.ts'
import type { Messages } from './messages.ts'
import type { Pull } from './pull.ts'
import type { Queues } from './queues.ts'

type Operations<K extends HandledName> = {
  readonly [Name in K]: (caller: Caller, input: Input<Name>) => Promise<Output<Name>>
}
type Of<Plural extends string> = Operations<Extract<HandledName, `${Plural}.${string}`>>

interface QueueRoom {
  readonly queues: Queues
  readonly messages: Messages
  readonly attempts: Attempts
  readonly pull: Pull
  readonly crons: Crons
}

/** This room's operations by their names in the contract; one that is missing does not compile. */
export function queueOperations(room: QueueRoom): Of<'queues' | 'messages' | 'crons'> {
  return { ...ofQueues(room), ...ofMessages(room), ...ofCrons(room) }
}

const ofQueues = ({ queues, pull, attempts }: QueueRoom): Of<'queues'> => ({
  'queues.list': queues.list,
  'queues.create': queues.create,
  'queues.get': queues.get,
  'queues.createMany': queues.createMany,
  'queues.update': queues.update,
  'queues.updateMany': queues.updateMany,
  'queues.delete': queues.delete,
  'queues.previewDelete': queues.previewDelete,
  'queues.pause': queues.pause,
  'queues.resume': queues.resume,
  'queues.purge': queues.purge,
  'queues.redrive': queues.redrive,
  'queues.claim': pull.claim,
  'queues.acknowledge': pull.acknowledge,
  'queues.reject': pull.reject,
  'queues.extend': pull.extend,
  'queues.listAttempts': attempts.ofQueue,
})

const ofMessages = ({ messages, attempts }: QueueRoom): Of<'messages'> => ({
  'messages.list': messages.list,
  'messages.put': messages.put,
  'messages.putMany': messages.putMany,
  'messages.get': messages.get,
  'messages.update': messages.update,
  'messages.updateMany': messages.updateMany,
  'messages.delete': messages.delete,
  'messages.cancel': messages.cancel,
  'messages.expunge': messages.expunge,
  'messages.redrive': messages.redrive,
  'messages.resend': messages.resend,
  'messages.listAttempts': attempts.ofMessage,
})

const ofCrons = ({ crons }: QueueRoom): Of<'crons'> => ({
  'crons.list': crons.list,
  'crons.create': crons.create,
  'crons.get': crons.get,
  'crons.createMany': crons.createMany,
  'crons.update': crons.update,
  'crons.updateMany': crons.updateMany,
  'crons.delete': crons.delete,
  'crons.previewDelete': crons.previewDelete,
  'crons.run': crons.run,
  'crons.pause': crons.pause,
  'crons.resume': crons.resume,
})
