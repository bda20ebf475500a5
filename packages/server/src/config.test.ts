import { type SettingName, settings, variableOf } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { ConfigError, type ConfigSources, loadConfig, redactConfig } from './config.ts'

const noFile = (): string => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
}
const load = (given: Partial<ConfigSources>) => loadConfig({ env: {}, flags: {}, readFile: noFile, ...given })
const problemsOf = (given: Partial<ConfigSources>): readonly string[] => {
  try {
    load(given)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('the configuration', () => {
  test('is complete without any source', () => {
    expect(load({})).toMatchObject({
      databaseUrl: null,
      host: '127.0.0.1',
      port: 3042,
      roles: ['api', 'worker'],
      ownershipTimeoutMs: 3000,
      retentionMs: 30 * 86_400_000,
      maxBodyBytes: 1_048_576,
    })
  })

  test('takes flags over the environment, that over the file, that over defaults', () => {
    const readFile = () => JSON.stringify({ port: 1, host: 'file', maxInFlight: 7 })
    const config = load({ readFile, env: { POSTHORN_PORT: '2', POSTHORN_HOST: 'env' }, flags: { port: '3' } })
    expect(config).toMatchObject({ port: 3, host: 'env', maxInFlight: 7, logLevel: 'info' })
  })

  test('reads the foreign names only where ours is not set', () => {
    expect(load({ env: { DATABASE_URL: 'postgres://a/b' } }).databaseUrl).toBe('postgres://a/b')
    const both = { DATABASE_URL: 'postgres://a/b', POSTHORN_DATABASE_URL: 'postgres://c/d' }
    expect(load({ env: both }).databaseUrl).toBe('postgres://c/d')
    expect(load({ env: { PLT_ADMIN_SECRET: 'x' } }).adminSecret).toBe('x')
  })

  test('takes an empty variable for one that is not set', () => {
    expect(load({ env: { POSTHORN_ADMIN_SECRET: '', POSTHORN_PORT: '' } })).toMatchObject({
      adminSecret: null,
      port: 3042,
    })
  })

  test.each([
    ['250', 250 * 1],
    ['2500', 2500],
    ['2500ms', 2500],
    ['3s', 3000],
    ['1.5s', 1500],
    ['1m', 60_000],
  ])('reads the duration %s as %d ms', (text, ms) => {
    const found = ms < 500 ? problemsOf({ env: { POSTHORN_OWNERSHIP_TIMEOUT: text } }) : []
    if (ms < 500) expect(found[0]).toContain('a duration from 500ms to 1m')
    else expect(load({ env: { POSTHORN_OWNERSHIP_TIMEOUT: text } }).ownershipTimeoutMs).toBe(ms)
  })

  test('reads durations, numbers and lists from a file as JSON has them', () => {
    const readFile = () => JSON.stringify({ retention: '90d', shutdownTimeout: 5, roles: ['api'], allowTargets: [] })
    expect(load({ readFile })).toMatchObject({ retentionMs: 7_776_000_000, shutdownTimeoutMs: 5, roles: ['api'] })
  })

  test('names every problem at once, with the bound and what was given', () => {
    const env = {
      POSTHORN_PORT: '70000',
      POSTHORN_ROLES: 'api,boss',
      POSTHORN_LOG_LEVEL: 'loud',
      POSTHORN_RETENTION: '5',
    }
    expect(problemsOf({ env })).toEqual([
      'POSTHORN_PORT must be an integer from 0 to 65535, not "70000"',
      'POSTHORN_ROLES must be a list of api, worker, each once, not "api,boss"',
      'POSTHORN_RETENTION must be a duration from 1h to 3650d, not "5"',
      'POSTHORN_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent, not "loud"',
    ])
  })

  test('refuses a name that it does not know, and says which is near', () => {
    expect(problemsOf({ env: { POSTHORN_PROT: '1' } })).toEqual([
      'POSTHORN_PROT is no setting; the nearest is POSTHORN_PORT',
    ])
    const readFile = () => JSON.stringify({ retantion: '1d' })
    expect(problemsOf({ readFile })).toEqual(['retantion in ./posthorn.json is no setting; the nearest is retention'])
  })

  test('wants the file that it was told to read', () => {
    expect(problemsOf({ env: { POSTHORN_CONFIG: '/x.json' } })).toEqual([
      '/x.json cannot be read: there is no such file',
    ])
    expect(problemsOf({ readFile: () => '[]' })).toEqual(['./posthorn.json must hold one JSON object'])
    expect(problemsOf({ readFile: () => '{' })[0]).toMatch(/^\.\/posthorn\.json cannot be read: /)
  })

  test('never prints a secret, neither in a problem nor when it is shown', () => {
    const env = {
      POSTHORN_SECRET_KEY: 'short-secret',
      POSTHORN_DATABASE_URL: 'mysql://hidden:pass@h/d',
      POSTHORN_PORT: 'x',
    }
    expect(problemsOf({ env }).join()).not.toMatch(/short-secret|hidden/)
    const config = load({
      env: {
        POSTHORN_DATABASE_URL: 'postgres://me:pass@db:5432/x?password=more',
        POSTHORN_ADMIN_SECRET: 'tell-nobody',
      },
    })
    const shown = JSON.stringify(redactConfig(config))
    expect(shown).not.toMatch(/pass|me:|more|tell-nobody/)
    expect(shown).toContain('postgres://db:5432/x')
  })

  test('marks every setting that could hold a password', () => {
    const suspicious = (Object.keys(settings) as SettingName[]).filter(name =>
      /secret|url|key|password|token/i.test(name),
    )
    // A number that the server itself shows to whoever asks for its locks.
    expect(suspicious.filter(name => !settings[name].secret)).toEqual(['lockKey'])
  })

  test('takes a lock key as a number, and a poll interval as a duration, each within its bounds', () => {
    expect(load({ env: { POSTHORN_LOCK_KEY: '42', POSTHORN_POLL_INTERVAL: '2s' } })).toMatchObject({
      lockKey: 42,
      pollIntervalMs: 2000,
    })
    expect(load({ readFile: () => '{"lockKey": 0, "pollInterval": "50ms"}' })).toMatchObject({ lockKey: 0 })
    const lockKey = 'POSTHORN_LOCK_KEY must be an integer from 0 to 2147483647, not'
    for (const text of ['2147483648', '-1', '1.5', 'x'])
      expect(problemsOf({ env: { POSTHORN_LOCK_KEY: text } })).toEqual([`${lockKey} "${text}"`])
    for (const text of ['49ms', '2m', 'soon'])
      expect(problemsOf({ env: { POSTHORN_POLL_INTERVAL: text } })).toEqual([
        `POSTHORN_POLL_INTERVAL must be a duration from 50ms to 1m, not "${text}"`,
      ])
  })

  test('gives defaults that pass their own checks', () => {
    for (const name of Object.keys(settings) as SettingName[]) {
      const value = settings[name].default
      if (value === null || (Array.isArray(value) && value.length === 0)) continue
      expect(problemsOf({ env: { [variableOf(name)]: String(value) } })).toEqual([])
    }
  })
})

describe('the authorization section', () => {
  const rules = [{ role: 'anonymous', entity: 'queue', find: true }]
  const inFile = (section: unknown, more: object = {}) => ({
    readFile: () => JSON.stringify({ authorization: section, ...more }),
  })

  test('stands in the file as pg-hooks has it, with its secrets in the environment', () => {
    const config = load({ ...inFile({ adminSecret: '{PLT_ADMIN_SECRET}', rules }), env: { PLT_ADMIN_SECRET: 'x' } })
    expect(config).toMatchObject({ adminSecret: 'x', authorization: { adminSecret: 'x', rules } })
    expect(load({}).authorization).toBeNull()
  })

  test('may be JSON in the environment or a flag', () => {
    const json = JSON.stringify({ rules })
    expect(load({ env: { POSTHORN_AUTHORIZATION: json } }).authorization).toEqual({ rules })
    expect(load({ flags: { authorization: json } })).toMatchObject({ authorization: { rules }, adminSecret: null })
    expect(problemsOf({ flags: { authorization: '{' } })).toEqual(['--authorization must be a JSON object'])
  })

  test('goes with the admin secret of the other settings, which must be the same', () => {
    const env = { POSTHORN_ADMIN_SECRET: 'x' }
    expect(load({ ...inFile({ rules }), env })).toMatchObject({ adminSecret: 'x', authorization: { rules } })
    expect(load({ ...inFile({ adminSecret: 'x', rules }), env }).adminSecret).toBe('x')
    const problems = problemsOf({ ...inFile({ adminSecret: 'tell-nobody', rules }), env })
    expect(problems).toEqual(['adminSecret and authorization.adminSecret differ: leave one of them out'])
  })

  test('has its faults named with all others, each at its place', () => {
    const section = { adminSecret: 'x', jwks: true, rules: [{ role: 'a', entity: 'queue', find: { fields: ['nam'] } }] }
    expect(problemsOf(inFile(section, { port: 'x' }))).toEqual([
      'port in ./posthorn.json must be an integer from 0 to 65535, not "x"',
      'authorization.jwks is not known; the nearest is jwt',
    ])
    expect(problemsOf(inFile({ ...section, jwks: undefined }))).toEqual([
      'authorization.rules[0].find.fields: queue has no field nam; the nearest is name',
    ])
    expect(problemsOf(inFile('yes'))).toEqual(['authorization must be a JSON object'])
  })

  test('is a secret', () => {
    const config = load(inFile({ adminSecret: 'tell-nobody', jwt: { secret: 'whisper' }, rules }))
    expect(JSON.stringify(redactConfig(config))).not.toMatch(/tell-nobody|whisper/)
  })
})
