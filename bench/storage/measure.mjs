/**
 * `node bench/storage/measure.mjs [--rows 10000000] [--folder /tmp/posthorn-storage]`: what lists, puts, retention and
 * the dropping of old partitions cost beside ten million live rows and ten million settled ones, on a real PostgreSQL
 * with fsync. Fills the folder at first (some minutes, 15 GB); dropping the oldest span changes it, so it is filled
 * anew for the next run. Prints the tables of docs/decisions/storage.md.
 */
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import { build } from '../../scripts/build.mjs'
import { startServer } from '../postgres.mjs'
import { fill, SPAN } from './fill.mjs'

const pg = createRequire(new URL('../../packages/server/package.json', import.meta.url))('pg')
const { values } = parseArgs({
  options: { rows: { type: 'string' }, folder: { type: 'string' }, keep: { type: 'boolean' } },
})
const rows = Number(values.rows ?? SPAN)
const folder = values.folder ?? '/tmp/posthorn-storage'
const LISTS_ONLY = values.keep ?? false

await build({ only: ['contract', 'server'], quick: true })
const { measureLists, measureWithoutIndexes } = await import('./lists.mjs')
const { measureMoves, measurePuts, measureRemoval } = await import('./writes.mjs')
const { measureDrop } = await import('./drop-span.mjs')
const { openDatabase } = await import('../../packages/server/dist/db/open.js')
const { silentLog } = await import('../../packages/server/dist/log.js')

/** What lists by queue and by cron want of the live table, if the migration does not have it. */
const LIVE_INDEXES = `
  CREATE INDEX IF NOT EXISTS message_queue ON posthorn.message (queue_id, id) WHERE queue_id IS NOT NULL;
  DROP INDEX posthorn.message_cron;
  CREATE INDEX message_cron ON posthorn.message (cron_id, id) WHERE cron_id IS NOT NULL`

const server = await startServer(folder)
const client = new pg.Client(server.connection)
await client.connect()
try {
  await fill(client, rows)
  await client.query(LIVE_INDEXES)
  print(['List', 'ms', 'blocks'], await measureLists(client, rows))
  print(['Without `message_queue`, `message_cron` without id', 'ms', 'blocks'], await measureWithoutIndexes(client))
  if (!LISTS_ONLY) {
    const db = await openDatabase({ url: server.urlOf('postgres'), dataDir: folder }, silentLog)
    print(['Write', 'ms'], [...(await measurePuts(db)), ...(await measureMoves(db))])
    await db.stop()
    print(['Removal', 'ms'], await measureRemoval(client))
    print(['Dropping a span of ten million', 'ms'], await measureDrop(client, SPAN))
  }
} finally {
  await client.end()
  await server.stop()
  if (!LISTS_ONLY) rmSync(folder, { recursive: true, force: true })
}

function print(head, lines) {
  const format = value => (typeof value === 'number' ? value.toLocaleString('en', { maximumFractionDigits: 1 }) : value)
  console.log(`\n| ${head.join(' | ')} |\n|${head.map((_, i) => (i ? '---:|' : '---|')).join('')}`)
  for (const line of lines) console.log(`| ${line.map(format).join(' | ')} |`)
}
