/** Posthorn's put without HTTP: the server's own parts, put together as app.ts does it, called in process. */
import { emptyListQuery } from '../../packages/contract/dist/index.js'
import { systemClock } from '../../packages/server/dist/clock.js'
import { migrate } from '../../packages/server/dist/db/migrate.js'
import { openDatabase } from '../../packages/server/dist/db/open.js'
import { checkHeaders } from '../../packages/server/dist/deliver/header-rules.js'
import { createGroupCommit } from '../../packages/server/dist/engine/group-commit.js'
import { createPostgresEngine } from '../../packages/server/dist/engine/postgres/engine.js'
import { createSpanRepair, ensureSpans } from '../../packages/server/dist/engine/postgres/upkeep/spans.js'
import { createIds } from '../../packages/server/dist/id.js'
import { silentLog } from '../../packages/server/dist/log.js'
import { QueueBook } from '../../packages/server/dist/queue/book.js'
import { createMessages } from '../../packages/server/dist/queue/messages.js'
import { createQueues } from '../../packages/server/dist/queue/queues.js'
import { openInstallation } from '../../packages/server/dist/tenant/installation.js'
import { openSecrets } from '../../packages/server/dist/tenant/secrets.js'
import { makeBody } from '../body.mjs'
import { closedLoop, inPieces, seconds } from './load.mjs'

const LIST_LIMIT_MS = 10_000
const DAY_MS = 86_400_000
const BULK = 1000
const PENDING = {
  ...emptyListQuery,
  where: [{ field: 'status', op: 'eq', value: 'pending' }],
  limit: 1,
  totalCount: true,
}

export async function start({ databaseUrl, folder }) {
  const db = await openDatabase({ url: databaseUrl, dataDir: folder, schema: 'posthorn', poolSize: 10 }, silentLog)
  await migrate(db, silentLog)
  await ensureSpans(db)
  const installation = await openInstallation(db, { shardCount: 64 })
  const secrets = await openSecrets(db, { folder })
  const ids = createIds(installation.webhookIdKey)
  const book = new QueueBook({ db, secrets, clock: systemClock, log: silentLog })
  const engine = createPostgresEngine(db, installation.shardCount)
  const commit = createGroupCommit({
    put: messages => engine.put(messages),
    stored() {},
    repair: createSpanRepair(db, () => {}),
  })
  const shared = { db, checkHeaders, secrets, listLimitMs: LIST_LIMIT_MS, changed() {} }
  const messages = createMessages({
    ...shared,
    book,
    ids,
    idempotencyTtlMs: DAY_MS,
    put: message => commit.put(message),
    putAll: all => commit.putAll(all),
    putTogether: all => commit.putTogether(all),
  })
  const caller = { orgId: installation.instanceOrgId }
  const { id: queueId } = await createQueues(shared).create(caller, { name: 'bench', callbackUrl: 'http://127.0.0.1/' })
  const put = id => messages.put(caller, { queueId, body: makeBody(id, 0) })
  const putMany = async (from, to) => {
    const some = Array.from({ length: to - from }, (_, i) => ({ queueId, body: makeBody(from + i, 0) }))
    await messages.putMany(caller, { messages: some })
  }
  return {
    put: ({ first, ...load }) => closedLoop(load, id => put(first + id)),
    putBulk: ({ first, messages: count }) =>
      seconds(() => inPieces({ count, size: BULK, width: 2 }, (from, to) => putMany(first + from, first + to))),
    stored: async () => (await messages.list(caller, PENDING)).totalCount,
    stop: () => db.stop(),
  }
}
