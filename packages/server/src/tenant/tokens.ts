/**
 * API keys as they are shown and kept: 256 random bits in letters and digits, and of those only the SHA-256.
 * A slow hash would protect what can be guessed; this cannot, and it is looked up at every call.
 */
import { createHash, randomBytes } from 'node:crypto'
import { KEY_PREFIX } from '@posthorn/contract'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 62^43 > 2^256. */
const LENGTH = 43
const SHOWN = KEY_PREFIX.length + 8
const SHAPE = new RegExp(`^${KEY_PREFIX}[A-Za-z0-9]{${LENGTH}}$`)

/** A new key; never the same twice. */
export function makeToken(): string {
  let text = ''
  while (text.length < LENGTH) {
    // Bytes past the last whole alphabet are thrown away: the others would not be equally likely.
    for (const byte of randomBytes(LENGTH)) {
      if (byte < 4 * ALPHABET.length && text.length < LENGTH) text += ALPHABET[byte % ALPHABET.length]
    }
  }
  return KEY_PREFIX + text
}

export const isToken = (text: string): boolean => SHAPE.test(text)

/** What is kept of it, in hexadecimal digits. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Its beginning, by which people tell it from others. */
export const shownOf = (token: string): string => token.slice(0, SHOWN)
