// Generated from packages/contract by `node scripts/generate-client.mjs`. Change it there.

export interface Route {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Which part of the input stands where in the path. */
  readonly pathNames: Readonly<Record<string, string>>
  readonly list: boolean
  /** Changes all that `where` finds: it goes into the URL, the rest into the body. */
  readonly each: boolean
}

export const routes: Readonly<Record<string, Route>> = {
  'queues.list': { verb: 'GET', path: '/queues/', pathNames: {}, list: true, each: false },
  'queues.create': { verb: 'POST', path: '/queues/', pathNames: {}, list: false, each: false },
  'queues.get': { verb: 'GET', path: '/queues/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'queues.update': { verb: 'PUT', path: '/queues/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'queues.createMany': { verb: 'POST', path: '/queues/bulk', pathNames: {}, list: false, each: false },
  'queues.updateMany': { verb: 'PUT', path: '/queues/', pathNames: {}, list: false, each: true },
  'queues.delete': { verb: 'DELETE', path: '/queues/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'queues.previewDelete': { verb: 'GET', path: '/queues/{id}/deletion', pathNames: { id: 'id' }, list: false, each: false },
  'queues.pause': { verb: 'POST', path: '/queues/{id}/pause', pathNames: { id: 'id' }, list: false, each: false },
  'queues.resume': { verb: 'POST', path: '/queues/{id}/resume', pathNames: { id: 'id' }, list: false, each: false },
  'queues.purge': { verb: 'POST', path: '/queues/{id}/purge', pathNames: { id: 'id' }, list: false, each: false },
  'queues.redrive': { verb: 'POST', path: '/queues/{id}/redrive', pathNames: { id: 'id' }, list: false, each: false },
  'queues.listMessages': { verb: 'GET', path: '/queues/{id}/messages', pathNames: { id: 'id' }, list: true, each: false },
  'queues.listCrons': { verb: 'GET', path: '/queues/{id}/crons', pathNames: { id: 'id' }, list: true, each: false },
  'queues.listQueues': { verb: 'GET', path: '/queues/{id}/queues', pathNames: { id: 'id' }, list: true, each: false },
  'queues.getDeadLetterQueue': { verb: 'GET', path: '/queues/{id}/dead_letter_queue', pathNames: { id: 'id' }, list: false, each: false },
  'queues.listAttempts': { verb: 'GET', path: '/queues/{id}/attempts', pathNames: { id: 'id' }, list: true, each: false },
  'queues.claim': { verb: 'POST', path: '/queues/{id}/claim', pathNames: { id: 'id' }, list: false, each: false },
  'queues.acknowledge': { verb: 'POST', path: '/queues/{id}/acknowledge', pathNames: { id: 'id' }, list: false, each: false },
  'queues.reject': { verb: 'POST', path: '/queues/{id}/reject', pathNames: { id: 'id' }, list: false, each: false },
  'queues.extend': { verb: 'POST', path: '/queues/{id}/extend', pathNames: { id: 'id' }, list: false, each: false },
  'messages.list': { verb: 'GET', path: '/messages/', pathNames: {}, list: true, each: false },
  'messages.put': { verb: 'POST', path: '/messages/', pathNames: {}, list: false, each: false },
  'messages.putMany': { verb: 'POST', path: '/messages/bulk', pathNames: {}, list: false, each: false },
  'messages.get': { verb: 'GET', path: '/messages/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'messages.update': { verb: 'PUT', path: '/messages/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'messages.updateMany': { verb: 'PUT', path: '/messages/', pathNames: {}, list: false, each: true },
  'messages.delete': { verb: 'DELETE', path: '/messages/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'messages.redrive': { verb: 'POST', path: '/messages/{id}/redrive', pathNames: { id: 'id' }, list: false, each: false },
  'messages.cancel': { verb: 'POST', path: '/messages/{id}/cancel', pathNames: { id: 'id' }, list: false, each: false },
  'messages.expunge': { verb: 'POST', path: '/messages/{id}/expunge', pathNames: { id: 'id' }, list: false, each: false },
  'messages.resend': { verb: 'POST', path: '/messages/{id}/resend', pathNames: { id: 'id' }, list: false, each: false },
  'messages.getQueue': { verb: 'GET', path: '/messages/{id}/queue', pathNames: { id: 'id' }, list: false, each: false },
  'messages.getCron': { verb: 'GET', path: '/messages/{id}/cron', pathNames: { id: 'id' }, list: false, each: false },
  'messages.listAttempts': { verb: 'GET', path: '/messages/{id}/attempts', pathNames: { id: 'id' }, list: true, each: false },
  'crons.list': { verb: 'GET', path: '/crons/', pathNames: {}, list: true, each: false },
  'crons.create': { verb: 'POST', path: '/crons/', pathNames: {}, list: false, each: false },
  'crons.get': { verb: 'GET', path: '/crons/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'crons.update': { verb: 'PUT', path: '/crons/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'crons.createMany': { verb: 'POST', path: '/crons/bulk', pathNames: {}, list: false, each: false },
  'crons.updateMany': { verb: 'PUT', path: '/crons/', pathNames: {}, list: false, each: true },
  'crons.delete': { verb: 'DELETE', path: '/crons/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'crons.previewDelete': { verb: 'GET', path: '/crons/{id}/deletion', pathNames: { id: 'id' }, list: false, each: false },
  'crons.run': { verb: 'POST', path: '/crons/{id}/run', pathNames: { id: 'id' }, list: false, each: false },
  'crons.pause': { verb: 'POST', path: '/crons/{id}/pause', pathNames: { id: 'id' }, list: false, each: false },
  'crons.resume': { verb: 'POST', path: '/crons/{id}/resume', pathNames: { id: 'id' }, list: false, each: false },
  'crons.getQueue': { verb: 'GET', path: '/crons/{id}/queue', pathNames: { id: 'id' }, list: false, each: false },
  'crons.listMessages': { verb: 'GET', path: '/crons/{id}/messages', pathNames: { id: 'id' }, list: true, each: false },
  'orgs.list': { verb: 'GET', path: '/orgs/', pathNames: {}, list: true, each: false },
  'orgs.create': { verb: 'POST', path: '/orgs/', pathNames: {}, list: false, each: false },
  'orgs.get': { verb: 'GET', path: '/orgs/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'orgs.update': { verb: 'PUT', path: '/orgs/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'orgs.delete': { verb: 'DELETE', path: '/orgs/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'orgs.previewDelete': { verb: 'GET', path: '/orgs/{id}/deletion', pathNames: { id: 'id' }, list: false, each: false },
  'keys.list': { verb: 'GET', path: '/keys/', pathNames: {}, list: true, each: false },
  'keys.create': { verb: 'POST', path: '/keys/', pathNames: {}, list: false, each: false },
  'keys.get': { verb: 'GET', path: '/keys/{id}', pathNames: { id: 'id' }, list: false, each: false },
  'keys.delete': { verb: 'DELETE', path: '/keys/{id}', pathNames: { id: 'id' }, list: false, each: false },
}
