import { expect, test } from 'vitest'
import { createSecretBox } from '../../src/tenant/secret-box.ts'
import { envelopesIn, Secrets } from './secrets.ts'

test('a secret is found in whatever form it was written down, and not in its envelope', () => {
  const secrets = new Secrets()
  const signing = secrets.signing('signing')
  const word = secrets.word('word')
  const key = secrets.key('key')
  expect(secrets.in('nothing of it')).toEqual([])
  expect(secrets.in(`… ${signing} …`)).toEqual(['signing'])
  expect(secrets.in(JSON.stringify({ a: [word] }))).toEqual(['word'])
  expect(secrets.in(Buffer.from(word).toString('base64'))).toEqual(['word'])
  // As PostgreSQL prints bytes.
  expect(secrets.in(`\\x${Buffer.from(key, 'base64').toString('hex')}`)).toEqual(['key'])
  expect(secrets.in(encodeURIComponent(key))).toEqual(['key'])
  const box = createSecretBox(Buffer.from(key, 'base64'))
  const sealed = box.seal(signing, 'here')
  expect(secrets.in(sealed)).toEqual([])
  expect([...envelopesIn(`{"${sealed}"}`)]).toEqual([[box.keyId, 1]])
})
