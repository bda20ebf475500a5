import { type Cipher, createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

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
  // ECB is right for single blocks of unique input. Kept open: making a cipher costs ten times what a block does.
  const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  const pages = new Pages(key)
  return {
    webhookId(messageId) {
      if (!Number.isSafeInteger(messageId) || messageId < 0) {
        throw new RangeError(`messageId must be an integer from 0 to 2^53 - 1, not ${messageId}`)
      }
      return PREFIX + pages.blockOf(messageId)
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

/** Numbers are encrypted by so many at a time: a call costs as much as 50 blocks, and messages mostly come in their order. */
const PAGE = 64
/** So many pages are kept: those of messages put by several nodes at once, or retried, take turns. */
const KEPT = 64

interface Page {
  readonly number: number
  readonly bytes: Buffer
}

/** Encrypted numbers, in hexadecimal digits. */
class Pages {
  readonly #cipher: Cipher
  readonly #plain = Buffer.alloc(PAGE * BLOCK_BYTES)
  readonly #kept: (Page | undefined)[] = new Array(KEPT)

  constructor(key: Buffer) {
    this.#cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  }

  blockOf(number: number): string {
    const page = Math.floor(number / PAGE)
    const at = (number % PAGE) * BLOCK_BYTES
    const kept = this.#kept[page % KEPT]
    const { bytes } = kept?.number === page ? kept : this.#encrypt(page)
    return bytes.toString('hex', at, at + BLOCK_BYTES)
  }

  #encrypt(number: number): Page {
    const first = number * PAGE
    for (let i = 0; i < PAGE; i++) {
      this.#plain.writeUInt32BE(Math.floor((first + i) / 2 ** 32), i * BLOCK_BYTES + 8)
      this.#plain.writeUInt32BE((first + i) % 2 ** 32, i * BLOCK_BYTES + 12)
    }
    const page = { number, bytes: this.#cipher.update(this.#plain) }
    this.#kept[number % KEPT] = page
    return page
  }
}

/** A name for this process that no other node has: ten hexadecimal digits. */
export function nodeId(): string {
  return randomBytes(5).toString('hex')
}
