/** Who takes part. Each stands in a module of contenders/, which says how it is set up; session.mjs says what a module can do. */

/**
 * name: as --contenders takes it · store: what it keeps its messages in · durable: whether it stands for anything but a
 * limit · minor: left out of quick runs
 */
export const CONTENDERS = [
  { name: 'raw-request', title: 'undici `request`, nothing durable', module: 'raw-request.mjs', store: 'none' },
  { name: 'raw-dispatch', title: 'undici `dispatch`, nothing durable', module: 'raw-dispatch.mjs', store: 'none' },
  { name: 'insert', title: 'plain prepared INSERT', module: 'insert.mjs', store: 'postgres' },
  { name: 'insert-request', title: 'plain INSERT, then `request`', module: 'insert.mjs', store: 'postgres' },
  { name: 'forwarder', title: 'bare HTTP server: INSERT, then `request`', module: 'forwarder.mjs', store: 'postgres' },
  { name: 'posthorn', title: 'Posthorn', module: 'posthorn.mjs', store: 'postgres' },
  { name: 'posthorn-library', title: 'Posthorn, in process', module: 'posthorn-library.mjs', store: 'postgres' },
  { name: 'posthorn-embedded', title: 'Posthorn, embedded database', module: 'posthorn.mjs', store: 'folder' },
  { name: 'graphile-worker', title: 'Graphile Worker', module: 'graphile-worker.mjs', store: 'postgres' },
  { name: 'pg-boss', title: 'pg-boss', module: 'pg-boss.mjs', store: 'postgres' },
  { name: 'bullmq', title: 'BullMQ, Redis', module: 'bullmq.mjs', store: 'redis' },
]

export function titleOf(name) {
  return CONTENDERS.find(one => one.name === name)?.title ?? name
}
