import { errors } from 'undici'
import { expect, test } from 'vitest'
import { classify, ERROR_CODES, failedOutcome } from './outcome.ts'

const coded = (code: string, message = 'secret detail') => Object.assign(new Error(message), { code })

test.for([
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['EAI_FAIL', 'dns'],
  ['ECONNREFUSED', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['ETIMEDOUT', 'connect_timeout'],
  ['ECONNRESET', 'reset'],
  ['EPIPE', 'reset'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
  ['EMFILE', 'resources'],
  ['EADDRNOTAVAIL', 'connect'],
  ['NEVER_HEARD_OF', 'unknown'],
] as const)('%s is %s', ([code, expected]) => {
  const sent = expected !== 'connect_timeout'
  const { code: known, error } = classify(coded(code), 'a.example', sent)
  expect(known).toBe(expected)
  expect(error).toBe(`a.example: ${ERROR_CODES[expected]} (${code})`)
})

test('errors of undici have their place', () => {
  const of = (error: Error, sent = true) => classify(error, 'a.example', sent).code
  expect(of(new errors.ConnectTimeoutError(), false)).toBe('connect_timeout')
  expect(of(new errors.HeadersOverflowError())).toBe('protocol')
  expect(of(new errors.HTTPParserError('Response does not match the HTTP/1.1 protocol (Expected HTTP/)'))).toBe(
    'protocol',
  )
  expect(of(new errors.HTTPParserError('Response does not match the HTTP/1.1 protocol (Invalid EOF state)'))).toBe(
    'reset',
  )
  expect(of(new errors.ResponseContentLengthMismatchError())).toBe('reset')
  expect(of(new errors.SocketError('other side closed'))).toBe('reset')
  expect(of(new errors.SocketError('bad upgrade'))).toBe('protocol')
  expect(of(new errors.InvalidArgumentError('invalid header key'))).toBe('invalid_request')
  expect(of(new errors.ClientDestroyedError())).toBe('shutdown')
})

test('a connection that breaks before anything was sent is one that was not made', () => {
  expect(classify(coded('ECONNRESET'), 'a.example', false).code).toBe('connect')
})

test('a connection that the network gives up after the request was sent is one that broke', () => {
  expect(classify(coded('ETIMEDOUT'), 'a.example', true).code).toBe('reset')
})

test('of several addresses that failed the first tells the story', () => {
  const error = new AggregateError([coded('ECONNREFUSED'), coded('ENETUNREACH')])
  expect(classify(error, 'a.example', false).code).toBe('connect')
})

test('what is thrown that is no error is unknown, and no message leaks into the sentence', () => {
  expect(classify('boom', 'a.example', true)).toEqual({ code: 'unknown', error: `a.example: ${ERROR_CODES.unknown}` })
  for (const code of ['ECONNRESET', 'ENOTFOUND', 'X']) {
    expect(classify(coded(code), 'a.example', true).error).not.toContain('secret')
  }
})

test('a refused address is refused, every other failure failed', () => {
  for (const code of Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[]) {
    const { kind, errorCode } = failedOutcome({ code, error: '' }, 1)
    expect({ kind, errorCode }).toEqual({ kind: code === 'address_refused' ? 'refused' : 'failed', errorCode: code })
    expect(ERROR_CODES[code]).toMatch(/^[A-Z].*\.$/)
  }
})
