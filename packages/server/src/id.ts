import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

export interface Ids {
  /** The id that every attempt of a message carries: `msg_` and 32 hexadecimal digits. @throws RangeError */
  webhookId(messageId: number): string
  /** The message behind a webhook id, or null if this installation never gave it out. */
  messageIdOf(webhookId: string): number | null
}

const PREFIX = 'msg_'
const SHAPE = /^msg_[0-9a-f]{32}$/
const BLOCK_BYTES = 16
const KEY_BYTES = 16

/**
 * Turns message numbers into stable opaque ids of 128 bits and back.
 *
 * One AES block is a permutation: two numbers never share an id, nothing is stored, and every node that has the
 * installation's key gives the same answer. The upper half of the block is zero, so an invented id is told from a
 * real one (by chance one in 2^64 passes).
 *
 * @param key 16 bytes, made once for the installation. @throws RangeError
 */
export function createIds(key: Buffer): Ids {
  if (key.length !== KEY_BYTES) throw new RangeError(`key must have ${KEY_BYTES} bytes, not ${key.length}`)
  // ECB is right for a single block of unique input. Kept open: making a cipher costs ten times what a block does.
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  const block = Buffer.alloc(BLOCK_BYTES)
  return {
    webhookId(messageId) {
      if (!Number.isSafeInteger(messageId) || messageId < 0) {
        throw new RangeError(`messageId must be an integer from 0 to 2^53 - 1, not ${messageId}`)
      }
      block.writeUInt32BE(Math.floor(messageId / 2 ** 32), 8)
      block.writeUInt32BE(messageId % 2 ** 32, 12)
      return PREFIX + cipher.update(block).toString('hex')
    },
    messageIdOf(webhookId) {
      if (!SHAPE.test(webhookId)) return null
      const plain = decipher.update(Buffer.from(webhookId.slice(PREFIX.length), 'hex'))
      if (plain.readBigUInt64BE(0) !== 0n) return null
      const id = plain.readBigUInt64BE(8)
      return id <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(id) : null
    },
  }
}

/** A name for this process that no other node has: ten hexadecimal digits. */
export function nodeId(): string {
  return randomBytes(5).toString('hex')
}
