import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const IV_BYTES = 12
const TAG_BYTES = 16
export const SECRET_KEY_BYTES = 32

/** Seals and opens secrets under one key. `place` says where the text is kept (`queue.secrets:17`); it opens nowhere else. */
export interface SecretBox {
  /** First 8 hex digits of the key's SHA-256: names the key without telling it. */
  readonly keyId: string
  /** Gives `v1:<keyId>:<base64 of iv, ciphertext and tag>`; never the same text twice. */
  seal(secret: string, place: string): string
  /** @throws SecretError if it was sealed under another key, for another place, or was changed. */
  open(sealed: string, place: string): string
}

/** A secret or its key that cannot be used; the message names neither. */
export class SecretError extends Error {
  override readonly name = 'SecretError'
}

/** AES-256-GCM under `key` (32 bytes). */
export function createSecretBox(key: Buffer): SecretBox {
  if (key.length !== SECRET_KEY_BYTES)
    throw new SecretError(`the secret key has ${key.length} bytes, it must have ${SECRET_KEY_BYTES}`)
  const keyId = createHash('sha256').update(key).digest('hex').slice(0, 8)
  const prefix = `v1:${keyId}:`

  return {
    keyId,
    seal(secret, place) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place))
      const parts = [iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]
      return prefix + Buffer.concat(parts).toString('base64')
    },
    open(sealed, place) {
      if (!sealed.startsWith(prefix)) throw new SecretError(`the secret in ${place} is not sealed under key ${keyId}`)
      const bytes = Buffer.from(sealed.slice(prefix.length), 'base64')
      if (bytes.length < IV_BYTES + TAG_BYTES) throw new SecretError(`the secret in ${place} is cut short`)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES))
      decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES))
        return Buffer.concat([text, decipher.final()]).toString('utf8')
      } catch {
        throw new SecretError(`the secret in ${place} was changed, or was sealed for another place`)
      }
    },
  }
}
