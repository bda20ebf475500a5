import { createCipheriv, randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createIds, nodeId } from './id.ts'

const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const ids = createIds(key)
const messageIds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })

test('a webhook id leads back to its message', () => {
  fc.assert(
    fc.property(messageIds, id => {
      expect(ids.messageIdOf(ids.webhookId(id))).toBe(id)
    }),
  )
})

test('a webhook id is one AES-128 block over the number as 128 bits', () => {
  const block = Buffer.alloc(16)
  block.writeBigUInt64BE(0x0001_2345_6789_abcdn, 8)
  const expected = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block).toString('hex')
  expect(ids.webhookId(0x0001_2345_6789_abcd)).toBe(`msg_${expected}`)
})

test('every node with the key gives the same id, and another key another one', () => {
  expect(createIds(key).webhookId(7)).toBe(ids.webhookId(7))
  expect(createIds(randomBytes(16)).webhookId(7)).not.toBe(ids.webhookId(7))
})

test('neighbours look unrelated and no two numbers share an id', () => {
  const seen = new Set(Array.from({ length: 10_000 }, (_, id) => ids.webhookId(id)))
  expect(seen.size).toBe(10_000)
})

test('an id that was never given out leads nowhere', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), bytes => {
      expect(ids.messageIdOf(`msg_${Buffer.from(bytes).toString('hex')}`)).toBeNull()
    }),
  )
  const beyond = Buffer.alloc(16)
  beyond.writeBigUInt64BE(2n ** 53n, 8)
  const sealed = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(beyond).toString('hex')
  for (const wrong of ['', 'msg_', 'msg_12', ids.webhookId(1).toUpperCase(), `${ids.webhookId(1)}0`, `msg_${sealed}`]) {
    expect(ids.messageIdOf(wrong)).toBeNull()
  }
})

test('a number that is no message id and a key of the wrong size are refused', () => {
  for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => ids.webhookId(wrong)).toThrow(/messageId must be/)
  expect(() => createIds(Buffer.alloc(32))).toThrow('key must have 16 bytes, not 32')
})

test('a node id is short and its own', () => {
  expect(nodeId()).toMatch(/^[0-9a-f]{10}$/)
  expect(nodeId()).not.toBe(nodeId())
})
