/** What can be known of the image and the compose file without Docker. `node scripts/image.mjs` carries the image's steps out. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeConfig, parseDuration } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readCopy, readDockerfile, readDockerignore } from '../../../scripts/dockerfile.mjs'
import { loadConfig } from '../src/config.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8')
const instructions = readDockerfile(read('Dockerfile'))
const reaches = readDockerignore(read('.dockerignore'))
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  .trim()
  .split('\n')
const variables = new Set(describeConfig().map(({ variable }) => variable))
const shutdownMs = Number(parseDuration(describeConfig().find(({ name }) => name === 'shutdownTimeout')!.default))

describe('the image', () => {
  const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
  const textOf = (name: string): string => last.find(found => found.name === name)?.text ?? ''

  test('whatever it copies is there, and not ignored', () => {
    const own = instructions.filter(({ name }) => name === 'COPY').map(({ text }) => readCopy(text))
    for (const { sources } of own.filter(({ from }) => from === null)) {
      for (const source of sources) {
        const found = files.filter(file => file === source || file.startsWith(source.replace(/\/?$/, '/')))
        expect(found.filter(reaches), source).not.toEqual([])
      }
    }
  })

  test('every stage stands on one Node, pinned by its major', () => {
    const bases = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' ')[0])
    expect(new Set(bases).size).toBe(1)
    expect(bases[0]).toMatch(/^node:\d+-slim$/)
    const { engines } = JSON.parse(read('package.json'))
    expect(Number(/\d+/.exec(bases[0]!))).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)))
  })

  test('it runs as an ordinary user, with a volume for its data, and asks after its health', () => {
    expect(textOf('USER')).toBe('node')
    expect(textOf('ENV')).toContain(`POSTHORN_DATA_DIR=${textOf('VOLUME')}`)
    expect(textOf('HEALTHCHECK')).toContain('/health/live')
    expect(textOf('STOPSIGNAL')).toBe('SIGTERM')
    expect(JSON.parse(textOf('CMD'))).toEqual(['serve'])
  })

  test('its settings are settings', () => {
    for (const [, name] of textOf('ENV').matchAll(/(POSTHORN_\w+)=/g)) expect(variables).toContain(name)
  })

  test('neither secrets nor what was built here reach it', () => {
    for (const path of ['.env', '.git/config', 'data/secret.key', 'packages/server/node_modules/x/i.js'])
      expect(reaches(path), path).toBe(false)
    for (const path of [
      'packages/server/dist/app.js',
      'packages/server/test/x.ts',
      'packages/server/src/run/node.test.ts',
    ])
      expect(reaches(path), path).toBe(false)
    expect(reaches('packages/server/src/app.ts')).toBe(true)
  })
})

interface Service {
  readonly ports?: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly healthcheck: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly stop_grace_period?: string
  readonly init?: boolean
}

describe('the compose file', () => {
  const { services, volumes } = parse(read('compose.yaml'), { merge: true }) as {
    services: Readonly<Record<string, Service>>
    volumes: object
  }
  const nodes = Object.entries(services).filter(([name]) => name.startsWith('node'))

  test('two nodes wait for a healthy PostgreSQL that keeps its data', () => {
    expect(nodes).toHaveLength(2)
    for (const [, { depends_on, healthcheck }] of nodes) {
      expect(depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
      expect(healthcheck.test.join()).toContain('/health/ready')
    }
    expect(services.postgres!.healthcheck.test).toContain('pg_isready')
    expect(volumes).toHaveProperty('postgres')
  })

  test('only this machine can reach it, each node at a port of its own', () => {
    const ports = Object.values(services).flatMap(service => service.ports ?? [])
    expect(ports).toHaveLength(2)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{\w+:-\d+\}:3042$/)
    expect(new Set(ports).size).toBe(2)
  })

  test('a node has time to end in peace, and an init that hands it the signal', () => {
    for (const [, { stop_grace_period, init }] of nodes) {
      expect(Number(parseDuration(stop_grace_period))).toBeGreaterThan(shutdownMs)
      expect(init).toBe(true)
    }
  })

  test('its settings are settings, every secret must be given, and with them a node would start', () => {
    const given = { POSTGRES_PASSWORD: 'pw', POSTHORN_ADMIN_SECRET: 's', POSTHORN_SECRET_KEY: `${'A'.repeat(43)}=` }
    const fill = (text: string): string =>
      text.replace(/\$\{(\w+)(:?[-?])([^}]*)\}/g, (_, name: string, mark: string, rest: string) =>
        mark === ':-' ? rest : (given[name as keyof typeof given] ?? `missing ${name}`),
      )
    for (const [, { environment }] of nodes) {
      for (const name of Object.keys(environment)) expect(variables).toContain(name)
      for (const name of Object.keys(given)) expect(Object.values(environment).join()).toContain(`\${${name}:?`)
      const env = Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, fill(text)]))
      expect(loadConfig({ env, flags: {}, readFile: () => '{}' })).toMatchObject({
        databaseUrl: 'postgres://posthorn:pw@postgres/posthorn',
        adminSecret: 's',
        allowTargets: [],
      })
    }
  })
})
