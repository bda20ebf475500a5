import { expect, test } from 'vitest'
import { createSecretBox } from '../../src/tenant/secret-box.ts'
import { secretBytes, signingSecret } from '../leaks/marked.ts'
import { envelopesIn } from './secrets.ts'

test('envelopes are counted by the key that they are sealed under', () => {
  const box = createSecretBox(secretBytes())
  const sealed = box.seal(signingSecret(), 'here')
  expect([...envelopesIn(`{"${sealed}","${sealed}"}`)]).toEqual([[box.keyId, 2]])
})
