/**
 * Does what the Dockerfile says, step by step, without Docker: each stage in a folder of its own, with the Node at hand. Then
 * runs what it would run: a node that answers, whose health check holds, and that ends in peace. With `--user <name>` (as root
 * only) all of it is done as that user.
 *
 * What a container alone can give is not tried: the base image, users, volumes, limits.
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { cleanEnvironment } from './clean-environment.mjs'
import { readCopy, readDockerfile, readDockerignore } from './dockerfile.mjs'
import { root } from './run.mjs'
import { duration, say } from './say.mjs'

const PATIENCE_MS = 120_000
const SECRET = 'image-secret'
/** Where an image's files are that its commands name. */
const PLACES = /(?<![\w./-])\/(app|src|data|usr\/local\/bin)\b/g
const user = process.argv[2] === '--user' ? process.argv[3] : undefined
const place = mkdtempSync(join(tmpdir(), 'posthorn-image-'))
const stages = new Map()
let stage

try {
  prepare()
  const start = performance.now()
  for (const { name, text } of readDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))) perform(name, text)
  say(`image: built in ${duration(performance.now() - start)}`)
  await runImage()
  say(`image: it runs, is healthy and ends in peace${user ? `, as ${user}` : ''}`)
} catch (error) {
  process.exitCode = 1
  say(`posthorn: ${error.message}`)
} finally {
  rmSync(place, { recursive: true, force: true })
}

/** The build's context, and a chown that has nothing to give away. */
function prepare() {
  const files = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  const reaches = readDockerignore(readFileSync(join(root, '.dockerignore'), 'utf8'))
  for (const file of files.stdout.split('\n').filter(path => path !== '' && reaches(path))) {
    const copy = join(place, 'context', file)
    mkdirSync(dirname(copy), { recursive: true })
    cpSync(join(root, file), copy)
  }
  for (const folder of ['home', 'stubs']) mkdirSync(join(place, folder))
  writeFileSync(join(place, 'stubs/chown'), '#!/bin/sh\n', { mode: 0o755 })
  if (user) command(['chown', '-R', `${user}:`, place])
}

function perform(name, text) {
  switch (name) {
    case 'FROM': {
      const [, stageName = 'image'] = /\sAS\s(\w+)$/.exec(text) ?? []
      stage = { root: join(place, stageName), cwd: '/', env: {} }
      stages.set(stageName, stage)
      mkdirSync(join(stage.root, 'usr/local/bin'), { recursive: true })
      return own(stage.root)
    }
    case 'WORKDIR':
      stage.cwd = text
      mkdirSync(join(stage.root, text), { recursive: true })
      return own(join(stage.root, text))
    case 'ENV':
      for (const [, key, value] of text.matchAll(/(\w+)=(\S+)/g)) stage.env[key] = here(value)
      return
    case 'COPY':
      return copy(readCopy(text))
    case 'RUN':
      return command(as(['sh', '-ec', here(text)]), inStage())
    case 'ENTRYPOINT':
    case 'CMD':
      stage[name] = JSON.parse(text)
      return
    case 'HEALTHCHECK':
      stage.health = JSON.parse(text.slice(text.indexOf('CMD') + 3))
      return
    case 'USER':
    case 'VOLUME':
    case 'EXPOSE':
    case 'STOPSIGNAL':
      return
    default:
      throw new Error(`Dockerfile: ${name} is not known here`)
  }
}

/** As Docker does: a folder's contents, into the target. */
function copy({ from, sources, target }) {
  const base = from === null ? join(place, 'context') : stages.get(from).root
  const goal = join(stage.root, target.startsWith('/') ? '' : stage.cwd, target)
  const intoFolder = sources.length > 1 || /(^\.|\/)$/.test(target) || target === './'
  for (const source of sources) {
    const path = join(base, source)
    const isFile = statSync(path).isFile()
    const end = isFile && intoFolder ? join(goal, source.split('/').at(-1)) : goal
    mkdirSync(dirname(end), { recursive: true })
    cpSync(path, end, { recursive: true, verbatimSymlinks: true })
  }
  own(stage.root)
}

function own(path) {
  if (user) command(['chown', '-R', `${user}:`, path])
}

/** An image's paths, where they are here. */
function here(text) {
  return text.replace(PLACES, found => stage.root + found)
}

function as(words) {
  return user ? ['setpriv', `--reuid=${user}`, '--regid=65534', '--clear-groups', ...words] : words
}

function inStage(more = {}) {
  const env = {
    ...cleanEnvironment(join(place, 'home')),
    npm_config_cache: join(place, 'home/npm'),
    ...stage.env,
    ...more,
  }
  env.PATH = [join(place, 'stubs'), join(stage.root, 'usr/local/bin'), env.PATH].join(':')
  return { cwd: join(stage.root, stage.cwd), env, encoding: 'utf8' }
}

function command([program, ...args], options = { encoding: 'utf8' }) {
  const { status, stdout, stderr, error } = spawnSync(program, args, options)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status ?? error?.message}:\n${stdout}${stderr}`)
  return stdout
}

async function runImage() {
  const port = await freePort()
  const settings = { POSTHORN_PORT: String(port), POSTHORN_ADMIN_SECRET: SECRET }
  command(as([...stage.ENTRYPOINT, '--version']), inStage())
  const open = spawnSync(...split(as([...stage.ENTRYPOINT, ...stage.CMD])), inStage({ POSTHORN_PORT: String(port) }))
  if (open.status === 0 || !/secret/.test(open.stderr))
    throw new Error(`without a secret it should refuse: ${open.stderr}`)
  const node = await startNode(as([...stage.ENTRYPOINT, ...stage.CMD]), inStage(settings))
  try {
    command(as(stage.health), inStage(settings))
    const answer = await fetch(`http://127.0.0.1:${port}/queues/`, { headers: { authorization: `Bearer ${SECRET}` } })
    if (answer.status !== 200) throw new Error(`/queues/ answered ${answer.status}`)
  } finally {
    node.kill('SIGTERM')
  }
  const code = await new Promise(resolve => node.once('exit', resolve))
  if (code !== 0) throw new Error(`SIGTERM ended it with ${code}`)
  const sick = spawnSync(...split(as(stage.health)), inStage(settings))
  if (sick.status === 0) throw new Error('the health check holds although nothing runs')
}

function split([program, ...args]) {
  return [program, args]
}

function startNode([program, ...args], options) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = why => reject(new Error(`the node ${why}:\n${output}`))
    const timer = setTimeout(
      () => fail(`did not listen within ${PATIENCE_MS} ms`) ?? child.kill('SIGKILL'),
      PATIENCE_MS,
    )
    const look = chunk => {
      output += chunk
      if (!/listens on/.test(output)) return
      clearTimeout(timer)
      resolve(child)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('exit', code => fail(`ended with ${code}`))
  })
}

function freePort() {
  return new Promise(resolve => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
