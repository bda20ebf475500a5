import type { Database } from '../../db/port.ts'
import type { PullEngine, PushEngine } from '../port.ts'
import { list } from './encode.ts'
import * as load from './load.ts'
import { createPull } from './pull.ts'
import { put } from './put.ts'
import * as settle from './settle.ts'
import { statements } from './statements.ts'

/** The engine on PostgreSQL, embedded or not. What each statement relies on is said in its file. */
export function createPostgresEngine(db: Database, shardCount: number): PushEngine & PullEngine {
  const { hot } = db
  return {
    shardCount,
    put: messages => put(hot, messages),
    snapshot: () => load.snapshot(hot),
    sweep: (since, shards, except) => load.sweep(hot, since, shards, shardCount, except),
    findWork: shards => load.findWork(hot, shards, shardCount),
    loadLanes: requests => load.loadLanes(hot, requests),
    loadDue: requests => load.loadDue(hot, requests),
    nextDue: requests => load.nextDue(hot, requests),
    loadKeys: requests => load.loadKeys(hot, requests),
    loadPinned: queueIds => load.loadPinned(hot, queueIds),
    loadExpired: (shards, limit) => load.loadExpired(hot, shards, shardCount, limit),
    pin: (orgId, queueId, ids, tenure) => settle.pin(hot, orgId, queueId, ids, tenure),
    promote: async (queueIds, limit) => {
      await hot.rows(statements.promote, [list([...queueIds].sort((a, b) => a - b)), `${limit}`])
    },
    fold: request => settle.fold(hot, request),
    settle: (batch, again) => settle.settle(hot, batch, again),
    ...createPull(db),
  }
}
