import { createHmac, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { secretBytes } from '../../test/leaks/marked.ts'
import { newSecret, parseSecret, type SigningKey, sign } from './sign.ts'

const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const timestamp = '1614265330'

function keyOf(bytes: Buffer): SigningKey {
  const parsed = parseSecret(`whsec_${bytes.toString('base64')}`)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.key
}

function expected(bytes: Buffer, body: string | Buffer): string {
  return `v1,${createHmac('sha256', bytes).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}

test('the published example of Standard Webhooks comes out', () => {
  const key = keyOf(Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'))
  const { signature } = sign([key], id, timestamp, '{"test": 2432232314}')
  expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('every key and every kind of body signs as HMAC-SHA256 does', () => {
  const bodies = ['', 'plain', 'žluťoučký 🐎', 'x'.repeat(100_000), 'é'.repeat(20_000)]
  for (const size of [24, 32, 63, 64]) {
    const bytes = randomBytes(size)
    const key = keyOf(bytes)
    for (const body of [...bodies, Buffer.alloc(0), Buffer.from([0xff, 0, 0xfe]), randomBytes(1 << 20)]) {
      const signed = sign([key], id, timestamp, body)
      expect(signed.signature).toBe(expected(bytes, body))
      expect(signed.body?.equals(Buffer.from(body as string))).toBe(true)
    }
    expect(sign([key], id, timestamp, null)).toEqual({ body: null, signature: expected(bytes, '') })
  }
})

test('several secrets give several signatures, in their order, over the same body', () => {
  const [newer, older] = [secretBytes(), secretBytes(24)]
  for (const body of ['{}', 'x'.repeat(50_000)]) {
    const signed = sign([keyOf(newer), keyOf(older)], id, timestamp, body)
    expect(signed.signature).toBe(`${expected(newer, body)} ${expected(older, body)}`)
    expect(signed.body?.toString()).toBe(body)
  }
})

test('a new secret can be read and no two are alike', () => {
  expect(parseSecret(newSecret()).ok).toBe(true)
  expect(newSecret()).not.toBe(newSecret())
})

test('padding of the base64 is optional', () => {
  const bytes = secretBytes()
  const bare = parseSecret(`whsec_${bytes.toString('base64').replace('=', '')}`)
  expect(bare.ok && sign([bare.key], id, timestamp, 'a').signature).toBe(expected(bytes, 'a'))
})

test('a wrong secret is refused with the bound and without the secret', () => {
  const problemOf = (secret: string) => {
    const parsed = parseSecret(secret)
    return parsed.ok ? null : parsed.problem
  }
  const ofBytes = (n: number) => `whsec_${Buffer.alloc(n, 7).toString('base64')}`
  expect(problemOf('hunter2')).toBe('a secret must begin with whsec_')
  expect(problemOf('whsec_not base64 at all!!')).toBe('a secret must be base64 after whsec_')
  expect(problemOf(ofBytes(23))).toBe('a secret must hold 24 to 64 bytes, this one holds 23')
  expect(problemOf(ofBytes(65))).toBe('a secret must hold 24 to 64 bytes, this one holds 65')
  expect(problemOf(ofBytes(24))).toBeNull()
  expect(problemOf(ofBytes(64))).toBeNull()
})
