import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { commonErrors, type ErrorCode, errors, graphqlErrors, operationEntries, Problem } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { serve, serveAlone } from '../../test/api/serve.ts'

const problemJson = { accept: 'application/problem+json, application/json' }

/** Sends bytes as they are and gives all that came back until the server hung up. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', data => {
      answer += data
    })
    socket.on('error', reject).on('close', () => resolve(answer))
  })
}

describe('an error', () => {
  test("has pg-hooks' shape by default", async () => {
    const { call } = await serve()
    expect((await call('GET', '/queues/9')).json).toEqual({
      statusCode: 404,
      code: 'queue_not_found',
      error: 'Not Found',
      message: 'Queue 9 not found',
      details: { id: 9 },
    })
    expect((await call('GET', '/queues/x')).json).toMatchObject({
      code: 'FST_ERR_VALIDATION',
      message: 'params/id must be integer',
    })
  })

  test('is problem+json for who accepts it', async () => {
    const { call } = await serve()
    const { headers, json } = await call('GET', '/queues/9', undefined, problemJson)
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
    expect(headers.get('vary')).toBe('accept')
    expect(json).toEqual({
      type: '/documentation/#error-queue_not_found',
      title: 'No such queue',
      status: 404,
      detail: 'Queue 9 not found',
      code: 'queue_not_found',
      details: { id: 9 },
    })
  })

  test('that nobody expected says nothing of itself, and is logged under the id that it names', async () => {
    const { call, state, logged } = await serve({ adminSecret: 'x' })
    state.failure = new Error('password is hunter2')
    const { status, text, json } = await call('GET', '/queues/', undefined, {
      ...problemJson,
      authorization: 'Bearer x',
    })
    expect(status).toBe(500)
    expect(text).not.toContain('hunter2')
    expect(logged.at(-1)).toMatchObject({
      level: 'error',
      fields: { err: state.failure, requestId: json.details.requestId },
    })
  })

  test('of another room is recognised by who knows it', async () => {
    const translate = () => new Problem('outcome_unknown', {})
    const { call, state, logged } = await serveAlone({ adminSecret: 'x' }, { translate })
    state.failure = new TypeError('the connection is gone')
    const { status, headers, json } = await call('GET', '/queues/', undefined, { authorization: 'Bearer x' })
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'outcome_unknown', '1'])
    expect(logged).toEqual([])
  })

  test.each([
    [`GET / HTTP/1.1\r\nhost: localhost\r\na: ${'b'.repeat(20_000)}\r\n\r\n`, 431, '"limit":16384'],
    ['GET nonsense\r\n\r\n', 400, 'the request is not HTTP'],
    ['GET /queues/%zz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n', 400, 'FST_ERR_VALIDATION'],
    [`GET /queues/${'1'.repeat(200)} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`, 400, 'statusCode":400'],
  ])('before there is a request (%#) is answered in the same shape', async (text, status, part) => {
    const { port } = await serve()
    const answer = await exchange(port, text)
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(answer).toContain(part)
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ statusCode: status })
  })
})

describe('the catalogue', () => {
  const declared = new Set<ErrorCode>([
    ...commonErrors,
    ...graphqlErrors,
    ...operationEntries.flatMap(([, { errors }]) => [...errors]),
  ])

  test('holds exactly the codes that operations can answer with', () => {
    expect([...declared].sort()).toEqual(Object.keys(errors).sort())
  })

  test('names no code twice in an operation, and none that every operation has', () => {
    for (const [name, { errors: own }] of operationEntries) {
      expect(new Set(own).size, name).toBe(own.length)
      expect(
        own.filter(code => (commonErrors as readonly string[]).includes(code)),
        name,
      ).toEqual([])
    }
  })

  test('has a status that is an error, and a text that is a sentence', () => {
    for (const { status, title, text } of Object.values(errors)) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(title).toMatch(/^[A-Z].*[^.]$/)
      expect(text).not.toMatch(/\.$/)
    }
  })

  test('is where this room takes every code from', () => {
    const sources = [
      'failure',
      'access/access',
      'access/local',
      'access/guard',
      'access/fields',
      'access/defaults',
      'payload',
      'list-query',
      'relations',
      'validator',
      'server',
      'json-body',
      'batch',
    ]
    const used = sources.flatMap(name => {
      const text = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8')
      return [...text.matchAll(/new Problem\('(\w+)'/g)].map(([, code]) => code as ErrorCode)
    })
    expect(used.filter(code => !declared.has(code))).toEqual([])
    expect(new Set(used).size).toBeGreaterThan(10)
  })
})
