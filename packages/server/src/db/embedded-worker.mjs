// @ts-check
/**
 * The thread that the embedded PostgreSQL runs in: a statement blocks its thread, and this one may be blocked.
 *
 * What comes in is PostgreSQL's wire protocol, whole messages at a time, and so is what goes out: to `pg` this thread is
 * a server. PGlite as it comes never calls fsync; here every fsync reaches the disk, and a start that cannot see one
 * happen at a commit is refused. If PostgreSQL panics (fsync failed, disk full, out of memory) the thread ends at once,
 * so that nothing is acknowledged after it; the next start recovers from the log of writes.
 *
 * Plain JavaScript because Node 20 strips no types and a worker thread escapes the transform of the test runner.
 */
import { closeSync, fsyncSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

const TERMINATE = 'X'.charCodeAt(0)
/** Output is handed over in pieces of about this size, so that a large result does not stand in memory twice. */
const PIECE_BYTES = 256 * 1024
const SETTINGS = ['wal_sync_method=fsync', 'max_wal_size=64MB', 'timezone=UTC', 'datestyle=ISO', 'jit=off']

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)
const { folder, task } = /** @type {{ folder: string, task: 'build' | 'serve' }} */ (workerData)
/** What PostgreSQL said last on its error output, for the reason of an end. */
const lastWords = /** @type {string[]} */ ([])
let syncs = 0

/** PGlite's own has no fsync: emscripten then takes the request and does nothing. */
class SyncedFolder extends NodeFS {
  /** @override @type {NodeFS['init']} */
  async init(pg, options) {
    const result = await super.init(pg, options)
    const module = result.emscriptenOpts
    module.onAbort = (/** @type {unknown} */ reason) => die(`PostgreSQL aborted ${reason}`.trim())
    module.preRun?.push((/** @type {any} */ mod) => {
      mod.NODEFS.stream_ops.fsync = (/** @type {{ nfd: number }} */ stream) => {
        mod.NODEFS.tryFSOperation(() => sync(stream.nfd))
        return 0
      }
    })
    return result
  }
}

/** @param {number} fd */
function sync(fd) {
  syncs++
  try {
    fsyncSync(fd)
  } catch (error) {
    // Windows cannot sync folders, nor files that are open for reading only; PostgreSQL there does not try either.
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? ''
    if (process.platform !== 'win32' || !['EPERM', 'EISDIR'].includes(code)) throw error
  }
}

/** @param {string} reason @returns {never} */
function die(reason) {
  port.postMessage({ died: [reason, ...lastWords].join('; ') })
  process.exit(1)
}

/** @returns {Promise<PGlite>} */
async function open() {
  const startParams = PGlite.defaultStartParams.filter(param => param !== '-F')
  for (const setting of SETTINGS) startParams.push('-c', setting)
  const db = await PGlite.create({
    fs: new SyncedFolder(folder),
    startParams,
    onStderr: text => {
      lastWords.push(text)
      if (lastWords.length > 3) lastWords.shift()
      return false
    },
  })
  const before = syncs
  await db.query("SELECT pg_logical_emit_message(true, 'posthorn', 'start')")
  if (syncs === before) throw new Error('a commit of the embedded database did not reach the disk')
  return db
}

/** @param {PGlite} db @param {Uint8Array} message */
async function answer(db, message) {
  /** @type {Uint8Array[]} */
  let pieces = []
  let bytes = 0
  const handOver = () => {
    const piece = new Uint8Array(bytes)
    let at = 0
    for (const part of pieces) {
      piece.set(part, at)
      at += part.length
    }
    port.postMessage(piece, [piece.buffer])
    pieces = []
    bytes = 0
  }
  await db.execProtocolRawStream(message, {
    syncToFs: false,
    onRawData: data => {
      pieces.push(data.slice()) // PostgreSQL uses the memory again
      bytes += data.length
      if (bytes >= PIECE_BYTES) handOver()
    },
  })
  // An exit that PGlite swallows leaves this trace; what would be answered after it has not happened.
  if (process.exitCode !== undefined) die(`PostgreSQL ended with ${process.exitCode}`)
  if (bytes > 0) handOver()
}

/** @param {PGlite} db */
async function close(db) {
  await db.exec('CHECKPOINT')
  await db.close()
}

/** @param {string} path */
function syncTree(path) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) syncTree(join(path, entry.name))
    else if (entry.isFile()) syncPath(join(path, entry.name))
  }
  syncPath(path)
}

/** @param {string} path */
function syncPath(path) {
  const fd = openSync(path, 'r')
  sync(fd)
  closeSync(fd)
}

async function serve() {
  const db = await open()
  /** PGlite gives way between statements; the next one waits for its turn here. */
  let turn = Promise.resolve()
  port.on('message', (/** @type {Uint8Array} */ message) => {
    turn = turn.then(async () => {
      if (message[0] !== TERMINATE) return answer(db, message)
      await close(db)
      process.exit(0)
    })
    turn.catch(error => die(String(error)))
  })
  port.postMessage('ready')
}

try {
  if (task === 'serve') {
    await serve()
  } else {
    await close(await open())
    syncTree(folder)
    process.exit(0)
  }
} catch (error) {
  die(/** @type {Error} */ (error).message)
}
