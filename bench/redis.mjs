/** A Redis of this run's own that syncs its log to disk before it answers a write; null where there is none to start. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { startLeashed } from './leashed.mjs'

export async function startRedis(folder) {
  const version = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  if (version.status !== 0) return null
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'redis.sock')
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
  const args = ['--port', '0', '--unixsocket', path, '--dir', folder, '--maxmemory-policy', 'noeviction', ...durable]
  const server = await startLeashed('redis-server', args, { isReady: () => answers(path) })
  return { ...server, path, version: /v=(\S+)/.exec(version.stdout)?.[1] }
}

function answers(path) {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => resolve(true) || socket.destroy())
    socket.once('error', () => resolve(false))
  })
}
