import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { secretBytes } from '../../test/leaks/marked.ts'
import { createSecretBox } from './secret-box.ts'

const key = secretBytes()
const box = createSecretBox(key)

test('what was sealed opens to the same text', () => {
  for (const secret of ['', 'whsec_abc', 'ü€😀', 'x'.repeat(10_000)]) {
    expect(box.open(box.seal(secret, 'queue.secrets'), 'queue.secrets')).toBe(secret)
  }
})

test('a sealed secret names its key, never shows the text, and is never the same twice', () => {
  const sealed = box.seal('whsec_abc', 'queue.secrets')
  expect(sealed).toMatch(new RegExp(`^v1:${box.keyId}:[A-Za-z0-9+/]+=*$`))
  expect(Buffer.from(sealed.split(':')[2]!, 'base64').includes('whsec_abc')).toBe(false)
  expect(box.seal('whsec_abc', 'queue.secrets')).not.toBe(sealed)
})

test('it opens neither in another place, nor under another key, nor with any bit changed', () => {
  const sealed = box.seal('whsec_abc', 'queue.secrets')
  expect(() => box.open(sealed, 'service.password')).toThrow(/service.password was changed, or was sealed for another/)
  const other = createSecretBox(secretBytes())
  expect(() => other.open(sealed, 'queue.secrets')).toThrow(`not sealed under key ${other.keyId}`)
  const prefix = `v1:${box.keyId}:`
  const bytes = Buffer.from(sealed.slice(prefix.length), 'base64')
  for (let i = 0; i < bytes.length; i++) {
    const bent = Buffer.from(bytes)
    bent[i]! ^= 1
    expect(() => box.open(prefix + bent.toString('base64'), 'queue.secrets')).toThrow(/was changed/)
  }
  expect(() => box.open(`${prefix}AAAA`, 'queue.secrets')).toThrow(/cut short/)
})

test('a key of another length is refused with both lengths', () => {
  expect(() => createSecretBox(randomBytes(16))).toThrow('the secret key has 16 bytes, it must have 32')
})
