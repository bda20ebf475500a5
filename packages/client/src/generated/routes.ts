// Generated from packages/contract by `node scripts/generate-client.mjs`. Change it there.

export interface Route {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Which part of the input stands where in the path. */
  readonly pathNames: Readonly<Record<string, string>>
  readonly list: boolean
}

export const routes: Readonly<Record<string, Route>> = {
  'queues.list': { verb: 'GET', path: '/queues/', pathNames: {}, list: true },
  'queues.create': { verb: 'POST', path: '/queues/', pathNames: {}, list: false },
  'queues.get': { verb: 'GET', path: '/queues/{id}', pathNames: { id: 'id' }, list: false },
  'queues.update': { verb: 'PUT', path: '/queues/{id}', pathNames: { id: 'id' }, list: false },
  'queues.delete': { verb: 'DELETE', path: '/queues/{id}', pathNames: { id: 'id' }, list: false },
  'queues.previewDelete': { verb: 'GET', path: '/queues/{id}/deletion', pathNames: { id: 'id' }, list: false },
  'queues.pause': { verb: 'POST', path: '/queues/{id}/pause', pathNames: { id: 'id' }, list: false },
  'queues.resume': { verb: 'POST', path: '/queues/{id}/resume', pathNames: { id: 'id' }, list: false },
  'queues.purge': { verb: 'POST', path: '/queues/{id}/purge', pathNames: { id: 'id' }, list: false },
  'queues.redrive': { verb: 'POST', path: '/queues/{id}/redrive', pathNames: { id: 'id' }, list: false },
  'queues.listMessages': { verb: 'GET', path: '/queues/{id}/messages', pathNames: { id: 'id' }, list: true },
  'queues.listCrons': { verb: 'GET', path: '/queues/{id}/crons', pathNames: { id: 'id' }, list: true },
  'queues.listQueues': { verb: 'GET', path: '/queues/{id}/queues', pathNames: { id: 'id' }, list: true },
  'queues.getDeadLetterQueue': { verb: 'GET', path: '/queues/{id}/dead_letter_queue', pathNames: { id: 'id' }, list: false },
  'queues.listAttempts': { verb: 'GET', path: '/queues/{id}/attempts', pathNames: { id: 'id' }, list: true },
  'queues.claim': { verb: 'POST', path: '/queues/{id}/claim', pathNames: { id: 'id' }, list: false },
  'queues.acknowledge': { verb: 'POST', path: '/queues/{id}/acknowledge', pathNames: { id: 'id' }, list: false },
  'queues.reject': { verb: 'POST', path: '/queues/{id}/reject', pathNames: { id: 'id' }, list: false },
  'queues.extend': { verb: 'POST', path: '/queues/{id}/extend', pathNames: { id: 'id' }, list: false },
  'messages.list': { verb: 'GET', path: '/messages/', pathNames: {}, list: true },
  'messages.put': { verb: 'POST', path: '/messages/', pathNames: {}, list: false },
  'messages.putMany': { verb: 'POST', path: '/messages/bulk', pathNames: {}, list: false },
  'messages.get': { verb: 'GET', path: '/messages/{id}', pathNames: { id: 'id' }, list: false },
  'messages.update': { verb: 'PUT', path: '/messages/{id}', pathNames: { id: 'id' }, list: false },
  'messages.delete': { verb: 'DELETE', path: '/messages/{id}', pathNames: { id: 'id' }, list: false },
  'messages.redrive': { verb: 'POST', path: '/messages/{id}/redrive', pathNames: { id: 'id' }, list: false },
  'messages.cancel': { verb: 'POST', path: '/messages/{id}/cancel', pathNames: { id: 'id' }, list: false },
  'messages.resend': { verb: 'POST', path: '/messages/{id}/resend', pathNames: { id: 'id' }, list: false },
  'messages.getQueue': { verb: 'GET', path: '/messages/{id}/queue', pathNames: { id: 'id' }, list: false },
  'messages.getCron': { verb: 'GET', path: '/messages/{id}/cron', pathNames: { id: 'id' }, list: false },
  'messages.listAttempts': { verb: 'GET', path: '/messages/{id}/attempts', pathNames: { id: 'id' }, list: true },
  'crons.list': { verb: 'GET', path: '/crons/', pathNames: {}, list: true },
  'crons.create': { verb: 'POST', path: '/crons/', pathNames: {}, list: false },
  'crons.get': { verb: 'GET', path: '/crons/{id}', pathNames: { id: 'id' }, list: false },
  'crons.update': { verb: 'PUT', path: '/crons/{id}', pathNames: { id: 'id' }, list: false },
  'crons.delete': { verb: 'DELETE', path: '/crons/{id}', pathNames: { id: 'id' }, list: false },
  'crons.previewDelete': { verb: 'GET', path: '/crons/{id}/deletion', pathNames: { id: 'id' }, list: false },
  'crons.run': { verb: 'POST', path: '/crons/{id}/run', pathNames: { id: 'id' }, list: false },
  'crons.pause': { verb: 'POST', path: '/crons/{id}/pause', pathNames: { id: 'id' }, list: false },
  'crons.resume': { verb: 'POST', path: '/crons/{id}/resume', pathNames: { id: 'id' }, list: false },
  'crons.getQueue': { verb: 'GET', path: '/crons/{id}/queue', pathNames: { id: 'id' }, list: false },
  'crons.listMessages': { verb: 'GET', path: '/crons/{id}/messages', pathNames: { id: 'id' }, list: true },
}
