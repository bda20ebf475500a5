import { describe, expect, test } from 'vitest'
import { objectToHeaders } from './header-rules.ts'
import { parseTimestamp } from './schema.ts'

describe('a time', () => {
  test.each([
    ['2030-01-31T12:00:00Z', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31T12:00:00.5z', '2030-01-31T12:00:00.500Z'],
    ['2030-01-31T12:00:00.123456Z', '2030-01-31T12:00:00.123Z'],
    ['2030-01-31', '2030-01-31T00:00:00.000Z'],
    ['2030-01-31 12:00', '2030-01-31T12:00:00.000Z'],
    ['2030-01-31T12:00:00', '2030-01-31T12:00:00.000Z'],
    ['2030-01-01T00:00:00+02:00', '2029-12-31T22:00:00.000Z'],
    ['2030-01-01T00:00:00-0330', '2030-01-01T03:30:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(new Date(parseTimestamp(text)!).toISOString()).toBe(iso)
  })

  test.each([
    '',
    'garbage',
    '1767225600',
    '2030-02-30',
    '2029-02-29',
    '2030-13-01',
    '2030-00-10',
    '2030-01-01T24:00:00Z',
    '2030-01-01T00:60:00Z',
    '2030-01-01T00:00:60Z',
    '2030-01-01T00:00:00+24:00',
    '2030-01-01T00:00:00+01:60',
    '0000-01-01',
    '+12030-01-01',
    '2030-01-01T',
  ])('%s is none', text => {
    expect(parseTimestamp(text)).toBeNull()
  })
})

describe('headers', () => {
  test('may be any that Posthorn does not set', () => {
    expect(objectToHeaders({ 'content-type': 'a/b', 'X-Webhook-Id': '1', authorization: 'Bearer x' })).toBeNull()
  })

  test.each(['Host', 'webhook-signature', 'Posthorn-Attempt', 'TRANSFER-ENCODING'])('may not be %s', name => {
    expect(objectToHeaders({ [name]: 'x' })).toBe(`must not have ${name}: Posthorn sets it`)
  })

  test('have at most 16384 characters, names and values together', () => {
    expect(objectToHeaders({ a: 'x'.repeat(16_383) })).toBeNull()
    expect(objectToHeaders({ a: 'x'.repeat(16_384) })).toContain('16384 characters in all, they have 16385')
  })
})
