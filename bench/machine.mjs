/** What a run stood on: without it, figures say nothing. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { measureFdatasync } from './disk.mjs'

const PEERS = ['undici', 'pg', 'graphile-worker', 'pg-boss', 'bullmq']

export async function describeMachine(place, { node, sinkRate }) {
  const { rows } = await place.admin.query('SHOW server_version')
  const nodeVersion = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: cpus().length,
    processor: cpus()[0].model.trim(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0],
    versions: {
      Posthorn: versionIn('../packages/server/package.json'),
      Node: nodeVersion.slice(1),
      PostgreSQL: rows[0].server_version.split(' ')[0],
      ...(place.redis ? { Redis: place.redis.version } : {}),
      ...Object.fromEntries(PEERS.map(name => [name, versionIn(`node_modules/${name}/package.json`)])),
    },
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout?.trim() ?? '',
    sink: place.sink.kind,
    sinkRate,
    fdatasync: await measureFdatasync(place.folder),
  }
}

function versionIn(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
}
