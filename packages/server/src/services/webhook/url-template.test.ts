import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCredentials } from '../credentials.ts'
import { FaultError } from '../faults.ts'
import { fillTemplate, wrongTemplate } from './url-template.ts'
import { webhook } from './webhook.ts'

describe('the URL of a webhook', () => {
  test('whatever the data, the host stays and every value stays in its place', () => {
    const template = 'https://api.example:8443/a/{{x}}/c?d={{y}}&e=f'
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (x, y) => {
        let filled: URL
        try {
          filled = new URL(fillTemplate(template, { x, y }))
        } catch (error) {
          expect(error).toBeInstanceOf(FaultError)
          return expect(['.', '..']).toContain(x === '.' || x === '..' ? x : y)
        }
        expect(filled.origin).toBe('https://api.example:8443')
        expect(filled.pathname.split('/')).toHaveLength(4)
        expect([...filled.searchParams.keys()]).toEqual(['d', 'e'])
        expect(filled.searchParams.get('d')).toBe(y)
        expect(filled.hash).toBe('')
      }),
    )
  })

  test('a host with a place in it, a user or a fragment is refused', () => {
    for (const text of [
      'https://{{x}}.example/',
      'https://a.example:{{p}}/',
      'https://u:p@a.example/',
      'ftp://a.example/',
      'https://a.example/#{{x}}',
      'https://a.example/{{x}',
      'a.example',
      'https://a.example\\@b.example/',
    ]) {
      expect(wrongTemplate(text), text).not.toBeNull()
    }
    for (const text of ['https://a.example', 'http://a.example/{{x}}?y={{z.z}}', 'https://[::1]:80/'])
      expect(wrongTemplate(text), text).toBeNull()
  })

  test('a path cannot become part of the host', () => {
    for (const path of ['.evil.example/', '@evil.example/', ':81/', 'x']) {
      const read = readCredentials(webhook.credentials, { host: 'https://a.example', path })
      expect(read, path).toMatchObject({
        ok: false,
        problems: [{ field: 'credentials', problem: expect.stringContaining('path') }],
      })
    }
    expect(readCredentials(webhook.credentials, { host: 'https://a.example', path: '/x/{{y}}' }).ok).toBe(true)
    expect(readCredentials(webhook.credentials, { host: 'https://a.example/x', path: 'y' }).ok).toBe(true)
  })

  test('nothing inherited counts as data', () => {
    expect(() => fillTemplate('https://a.example/{{constructor}}', {})).toThrow(FaultError)
    expect(() => fillTemplate('https://a.example/{{a.length}}', { a: 'text' })).toThrow(FaultError)
  })
})
