/**
 * One process per data folder: two on one would each overwrite what the other has committed.
 *
 * The lock is a listening Unix socket in the folder. The kernel drops the listener when its process dies, however it
 * dies, so a lock is never left behind; and `link(2)` lets exactly one of many claim the name. Whoever finds it taken
 * connects: an answer (the holder's pid) means it is held, a refusal means that it is stale and may be taken away.
 * Containers that share the folder share the socket.
 *
 * Where the folder's file system has no links or no sockets, the socket stands in the folder for temporary files, under
 * a name made from the data folder's; then only processes that share that folder are kept apart. On Windows it is a pipe.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A socket's path has at most 104 bytes on macOS and 108 on Linux; `/.lock.<pid>.<6 digits>` comes after the folder. */
const LONGEST_FOLDER_BYTES = 75
const TRIES = 20
const ANSWER_MS = 1_000
/** What a file system says that cannot do sockets or links. */
const UNSUPPORTED = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK', 'EXDEV'])

export interface FolderLock {
  /** Lets others have the folder. */
  release(): void
}

/** Where the lock stands: `name` in `folder`. Sockets are reached through `via`, another path of the same folder. */
interface Place {
  readonly folder: string
  readonly via: string
  readonly name: string
}

/** Makes the folder if it is not there. @throws Error naming the process that holds it */
export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const real = realpathSync(folder)
  if (process.platform === 'win32') return lockPipe(real)
  const alias = shortAlias(real)
  try {
    return await claim({ folder: real, via: alias?.path ?? real, name: '.lock' }, real)
  } catch (error) {
    if (!UNSUPPORTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    const name = `posthorn-${process.getuid?.()}-${hashOf(real)}`
    return await claim({ folder: tmpdir(), via: tmpdir(), name }, real)
  } finally {
    alias?.remove()
  }
}

/** A socket's path is bounded; a link in the folder for temporary files makes any path short. */
function shortAlias(folder: string): { path: string; remove(): void } | undefined {
  if (Buffer.byteLength(folder) <= LONGEST_FOLDER_BYTES) return undefined
  const home = mkdtempSync(join(tmpdir(), 'ph-'))
  const path = join(home, 'd')
  symlinkSync(folder, path)
  return { path, remove: () => rmSync(home, { recursive: true, force: true }) }
}

function hashOf(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 16)
}

async function lockPipe(folder: string): Promise<FolderLock> {
  const name = `\\\\.\\pipe\\posthorn-${hashOf(folder)}`
  try {
    const server = await listen(name)
    return { release: () => server.close() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw inUse(folder, await askHolder(name))
    throw error
  }
}

async function claim({ folder, via, name }: Place, locked: string): Promise<FolderLock> {
  const lock = join(folder, name)
  for (let i = 0; i < TRIES; i++) {
    const mine = `${name}.${process.pid}.${randomBytes(3).toString('hex')}`
    const server = await listen(join(via, mine))
    const won = tryLink(join(folder, mine), lock, server)
    if (won) return won
    const found = inodeOf(lock)
    const holder = await askHolder(join(via, name))
    if (holder !== 'nobody') throw inUse(locked, holder)
    takeAway(lock, found, join(folder, `${mine}.stale`))
    await delay(10 + Math.random() * 40)
  }
  throw new Error(`the data folder ${locked} could not be locked: too many processes try at once`)
}

function tryLink(mine: string, lock: string, server: Server): FolderLock | undefined {
  let won = false
  try {
    linkSync(mine, lock)
    won = true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    if (!won) server.close()
    rmSync(mine, { force: true })
  }
  const inode = won ? inodeOf(lock) : undefined
  return won ? { release: () => takeDown(lock, inode, server) } : undefined
}

function takeDown(name: string, inode: number | undefined, server: Server): void {
  if (inodeOf(name) === inode) rmSync(name, { force: true })
  server.close()
}

/** Removes a stale socket; puts it back if another process has claimed the name since it was probed. */
function takeAway(name: string, probed: number | undefined, aside: string): void {
  if (probed === undefined) return
  try {
    renameSync(name, aside)
    if (inodeOf(aside) !== probed) linkSync(aside, name)
    unlinkSync(aside)
  } catch {
    // Another process was faster; the next try sees what it has left.
  }
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.end(String(process.pid))
    })
    server.once('error', reject)
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resolve(server)
    })
  })
}

/** The holder's pid, 'nobody' if the socket is stale, 'somebody' if it is held but its process does not answer. */
function askHolder(path: string): Promise<string> {
  return new Promise(resolve => {
    let pid = ''
    const socket = connect(path)
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      pid += text
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve('nobody')
    })
    socket.on('close', () => resolve(/^\d+$/.test(pid) ? pid : 'somebody'))
  })
}

function inUse(folder: string, holder: string): Error {
  const who = holder === 'somebody' ? 'another process' : `process ${holder}`
  return new Error(`the data folder ${folder} is in use by ${who}; one process at a time can have it`)
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}
