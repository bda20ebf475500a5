import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { silentLog } from '../../src/log.ts'
import { createSecretBox } from '../../src/tenant/secret-box.ts'
import { makeToken } from '../../src/tenant/tokens.ts'
import { DATABASE_KINDS, describePostgres, openFresh } from '../databases.ts'
import { runCommand } from '../harness/run-command.ts'
import { findSecrets, findSecretsInBytes } from './find.ts'
import { secretBytes, secretKey, secretWord, signingSecret } from './marked.ts'
import { takeLeaks } from './watch.ts'

// Whatever these tests let out on purpose has been looked at by them.
afterEach(() => void takeLeaks())

const MADE = { word: secretWord('-x'), key: secretKey(), signing: signingSecret(), token: makeToken() }
const FORMS: Readonly<Record<string, (secret: string) => string>> = {
  plain: secret => secret,
  'in JSON': secret => JSON.stringify({ a: [`${secret}"`] }),
  'in a URL': secret => encodeURIComponent(`ü ${secret}`),
  'with every letter escaped': secret => Buffer.from(secret).toString('hex').replace(/../g, '%$&'),
  'in base64': secret => Buffer.from(secret).toString('base64'),
  'as basic credentials': secret => Buffer.from(`a:${secret}`).toString('base64'),
  'as longer credentials': secret => Buffer.from(`ab:${secret}`).toString('base64'),
  'as others': secret => Buffer.from(`abc:${secret}`).toString('base64url'),
  'as PostgreSQL prints bytes': secret => `\\x${Buffer.from(secret).toString('hex')}`,
}

describe.each(Object.entries(MADE))('a secret of the tests (%s)', (name, secret) => {
  test.each(Object.entries(FORMS))('is found %s', (_, form) => {
    const text = `left ${form(secret)} right`
    const kind = name === 'token' ? 'key' : 'secret'
    expect(findSecrets(text)).toMatchObject([{ kind }])
    expect(findSecrets(`${text} ${text}`)).toHaveLength(1)
  })
})

test('its envelope and its hash are no secret, nor is the beginning of a key', () => {
  const box = createSecretBox(secretBytes())
  const hash = createHash('sha256').update(MADE.token).digest('hex')
  expect(findSecrets([box.seal(MADE.word, 'here'), hash, MADE.token.slice(0, 12), 'phk_'].join(' '))).toEqual([])
})

test('it is found in bytes, decoded or not', () => {
  expect(findSecretsInBytes(Buffer.concat([Buffer.alloc(9000), secretBytes(), Buffer.alloc(9)]))).toHaveLength(1)
  expect(findSecretsInBytes(Buffer.from(`phk_ ${'phk_'.repeat(99)} \xff${MADE.token}`, 'latin1'))).toHaveLength(1)
  expect(findSecretsInBytes(Buffer.from('phk_ and nothing'))).toEqual([])
})

describe('a secret that got out is told', () => {
  test('by an answer, and by its headers', async () => {
    const server = createServer((_, response) => response.setHeader('x-a', MADE.word).end(`{"a":"${MADE.key}"}`))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/q?x=y`
    expect(await (await fetch(url)).json()).toEqual({ a: MADE.key })
    const found = takeLeaks().leaks
    expect(found).toHaveLength(2)
    expect(found[1]).toMatch(/^a secret stands in answer to GET \/q: … \{"a":"/)
    await new Promise(resolve => server.close(resolve))
  })

  test('by a log, in the words and in the error', () => {
    silentLog.debug({ err: new Error('no', { cause: new Error(MADE.word) }) }, 'it failed')
    silentLog.info({ n: 1n }, `with ${MADE.signing}`)
    silentLog.warn({ n: 1n }, 'with nothing')
    expect(takeLeaks()).toMatchObject({ leaks: [{}, {}], looked: { lines: 3 } })
  })

  test('by what a command prints', async () => {
    await runCommand('http://127.0.0.1:1', ['org', MADE.word])
    expect(takeLeaks().leaks).toMatchObject([
      expect.stringMatching(/^a secret stands in stderr of posthorn org .*unknown command/),
    ])
  })

  for (const kind of DATABASE_KINDS) {
    const describeKind = kind === 'postgres' ? describePostgres : describe
    describeKind(`by a database that is dropped (${kind})`, () => {
      test('whatever table it is in', { timeout: 60_000 }, async () => {
        const { db, remove } = await openFresh(kind)
        await migrate(db, silentLog)
        await db.exec(`INSERT INTO posthorn.org (name, title) VALUES ('a', '${MADE.word}')`)
        await db.exec(`CREATE TABLE stray (a bytea); INSERT INTO stray VALUES ('${MADE.token}')`)
        await remove()
        const { leaks, looked } = takeLeaks()
        expect(looked.databases).toBe(1)
        expect(leaks).toMatchObject([
          expect.stringMatching(/^a secret stands in .*, table posthorn.org/),
          expect.stringMatching(/^a key stands in .*, table public.stray/),
        ])
      })
    })
  }
})
