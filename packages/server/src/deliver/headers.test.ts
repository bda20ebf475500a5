import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkHeaders, findHopByHop } from './header-rules.ts'
import { type AttemptHeaders, compileHeaders, requestHeaders } from './headers.ts'

const plain: AttemptHeaders = {
  webhookId: 'msg_1',
  timestamp: '1700000000',
  signature: null,
  attempt: 1,
  sequence: null,
  headers: null,
}

function build(queue: Record<string, unknown> | null, message?: Record<string, unknown>, more = {}) {
  const compiled = compileHeaders(queue, '1.2.3')
  return requestHeaders(compiled, { ...plain, headers: message ? JSON.stringify(message) : null, ...more })
}

function values(flat: string[], name: string): string[] {
  return flat.filter((_, i) => i % 2 === 1 && flat[i - 1]?.toLowerCase() === name)
}

test('a bare request carries the defaults, the id, the time and the attempt', () => {
  expect(build(null)).toEqual([
    ...['content-type', 'application/json', 'user-agent', 'Posthorn/1.2.3'],
    ...['webhook-id', 'msg_1', 'webhook-timestamp', '1700000000', 'posthorn-attempt', '1'],
  ])
})

test('signature and sequence are there where they are given', () => {
  const flat = build(null, undefined, { signature: 'v1,abc', sequence: '42', attempt: 3 })
  expect(flat.slice(-6)).toEqual([
    ...['webhook-signature', 'v1,abc', 'posthorn-attempt', '3', 'posthorn-sequence', '42'],
  ])
})

test('a message header replaces the queue header of any case, with its own spelling', () => {
  const flat = build({ 'X-Tenant': 'a', Accept: 'text/plain' }, { 'x-tenant': 'b', extra: 'c' })
  expect(flat.slice(0, 6)).toEqual(['Accept', 'text/plain', 'x-tenant', 'b', 'extra', 'c'])
})

test('a content type that anyone gives in any case is the only one', () => {
  expect(values(build({ 'Content-Type': 'text/plain' }), 'content-type')).toEqual(['text/plain'])
  expect(values(build(null, { 'CONTENT-TYPE': 'text/html' }), 'content-type')).toEqual(['text/html'])
  expect(values(build({ 'content-type': 'a/b' }, { 'Content-Type': 'c/d' }), 'content-type')).toEqual(['c/d'])
  expect(values(build({ 'User-Agent': 'mine' }), 'user-agent')).toEqual(['mine'])
})

test('values that are not strings become strings, and null becomes empty', () => {
  expect(build({ a: 1, b: true, c: null, d: [1, 2] }).slice(0, 8)).toEqual(['a', '1', 'b', 'true', 'c', '', 'd', '1,2'])
})

test('one message does not change the next', () => {
  const compiled = compileHeaders({ a: '1' }, '1')
  const first = requestHeaders(compiled, plain)
  requestHeaders(compiled, { ...plain, headers: '{"b":"2"}' })
  expect(requestHeaders(compiled, plain)).toEqual(first)
})

test('no name goes out twice, whoever gave it and however it is spelled', () => {
  const name = fc.constantFrom('a', 'A', 'x-b', 'X-B', 'Content-Type', 'content-type', 'USER-AGENT', 'user-agent')
  const headers = fc.dictionary(name, fc.string())
  fc.assert(
    fc.property(headers, headers, (queue, message) => {
      const names = build(queue, message).filter((_, i) => i % 2 === 0)
      const lower = names.map(name => name.toLowerCase())
      expect(new Set(lower).size).toBe(lower.length)
    }),
  )
})

test('reserved names cannot be given in any case', () => {
  for (const name of ['webhook-id', 'Webhook-Signature', 'HOST', 'Content-Length', 'connection', 'posthorn-attempt']) {
    expect(checkHeaders({ [name]: 'x' })).toBe(`headers.${name} is set by Posthorn and cannot be given`)
  }
})

test('a wrong header is refused by its name', () => {
  expect(checkHeaders({ 'a b': 'x' })).toBe('headers: "a b" is not a valid header name')
  expect(checkHeaders({ '': 'x' })).toContain('not a valid header name')
  expect(checkHeaders({ a: 'x\r\nb: y' })).toContain('headers.a must not contain control characters')
  expect(checkHeaders({ a: '€' })).toContain('headers.a must not contain')
  expect(checkHeaders({ a: '1', A: '2' })).toContain('headers.A is given twice')
  expect(checkHeaders({ a: 'x'.repeat(16_384) })).toContain('at most 16384 characters, they have 16385')
  expect(checkHeaders(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, ''])))).toBe(
    'headers must be at most 64, there are 65',
  )
  expect(checkHeaders({ ['n'.repeat(300)]: '' })).toContain('at most 256 characters')
})

test('ordinary headers pass, with values that are not strings', () => {
  expect(checkHeaders({ Authorization: 'Bearer x', 'x-number': 1, 'x-null': null, 'x-latin': 'é' })).toBeNull()
  expect(checkHeaders({})).toBeNull()
})

test('headers of the connection are found in any case, ours are let through', () => {
  expect(findHopByHop(build({ a: 'b' }, undefined, { signature: 'v1,a' }))).toBeNull()
  expect(findHopByHop(['a', 'b', 'Transfer-Encoding', 'chunked'])).toBe('Transfer-Encoding')
  expect(findHopByHop(['host', 'b'])).toBe('host')
})

test('a message that carries a trace alone has it beside the headers of its queue, and instead of its queue’s', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = JSON.stringify({ traceparent })
  const attempt = { webhookId: 'msg_1', timestamp: '1', signature: null, attempt: 1, sequence: null, headers }
  for (const queue of [{ 'x-queue': 'a' }, { 'x-queue': 'a', Traceparent: 'fixed' }]) {
    const flat = requestHeaders(compileHeaders(queue, '1.2.3'), attempt)
    const pairs = flat.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), flat[i + 1]]] : []))
    expect(pairs.filter(([name]) => name === 'traceparent')).toEqual([['traceparent', traceparent]])
    expect(Object.fromEntries(pairs)).toMatchObject({ 'x-queue': 'a', 'content-type': 'application/json' })
  }
})
