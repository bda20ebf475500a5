/** A durable PostgreSQL of this run's own, from the system's binaries, on a unix socket in its folder. */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'

const NOBODY = 65534
const ids = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }

const SETTINGS = [
  'listen_addresses=',
  'fsync=on',
  'synchronous_commit=on',
  'shared_buffers=2GB',
  'max_wal_size=8GB',
  'checkpoint_timeout=15min',
  'maintenance_work_mem=512MB',
  'track_io_timing=on',
]

function findBinaries() {
  const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
  const found = versions.map(v => `/usr/lib/postgresql/${v}/bin`).find(bin => existsSync(path.join(bin, 'initdb')))
  if (!found) throw new Error('no PostgreSQL below /usr/lib/postgresql')
  return found
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
  const server = spawn(path.join(bin, 'postgres'), ['-D', data, '-k', folder, ...settings], {
    ...ids,
    cwd: folder,
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise((resolve, reject) => {
    let log = ''
    server.stderr.on('data', chunk => {
      log += chunk
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('exit', code => reject(new Error(`postgres exited with ${code}: ${log}`)))
  })
  return {
    connection: { host: folder, user: 'postgres', database: 'postgres' },
    stop: () =>
      new Promise(resolve => {
        server.once('exit', resolve)
        server.kill('SIGINT')
      }),
  }
}
