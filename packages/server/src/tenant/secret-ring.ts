/**
 * The keys that this node holds: it seals with one of them, and opens what any of them sealed.
 *
 * There is one, but while a rotation is under way: then the next one is learned from the database, where it lies sealed under
 * the one before, and is written with once the installation says so.
 */
import type { Executor, Statement } from '../db/port.ts'
import { createSecretBox, type SecretBox, SecretError } from './secret-box.ts'

const READ: Statement = {
  name: 'secret_keys',
  text: `SELECT i.secret_key_id, k.id, k.sealed_under, k.sealed
    FROM posthorn.installation AS i LEFT JOIN posthorn.secret_key AS k ON true`,
}

export interface KeyState {
  /** The key that secrets are sealed with; null before the first. */
  readonly writing: string | null
  /** The next one, while a rotation is under way. */
  readonly next: { readonly id: string; readonly sealedUnder: string; readonly sealed: string } | null
}

interface Row {
  readonly secret_key_id: string | null
  readonly id: string | null
  readonly sealed_under: string | null
  readonly sealed: string | null
}

/** @throws DatabaseError */
export async function readKeyState(db: Executor): Promise<KeyState> {
  const [row] = await db.query<Row>(READ)
  if (!row?.id) return { writing: row?.secret_key_id ?? null, next: null }
  return { writing: row.secret_key_id, next: { id: row.id, sealedUnder: row.sealed_under!, sealed: row.sealed! } }
}

/** Where the next key is sealed for, under the one before. */
export const nextKeyPlace = (id: string): string => `secret_key:${id}`

export class SecretRing implements SecretBox {
  readonly #boxes = new Map<string, SecretBox>()
  #writing: SecretBox

  constructor(key: Buffer) {
    this.#writing = createSecretBox(key)
    this.#boxes.set(this.#writing.keyId, this.#writing)
  }

  get keyId(): string {
    return this.#writing.keyId
  }

  seal(secret: string, place: string): string {
    return this.#writing.seal(secret, place)
  }

  open(sealed: string, place: string): string {
    return (this.#boxes.get(sealed.split(':')[1]!) ?? this.#writing).open(sealed, place)
  }

  /** Takes on what the installation says now. @throws SecretError if it seals with a key that is not here */
  learn({ writing, next }: KeyState): void {
    const under = next && this.#boxes.get(next.sealedUnder)
    if (next && under && !this.#boxes.has(next.id)) {
      const key = Buffer.from(under.open(next.sealed, nextKeyPlace(next.id)), 'base64')
      this.#boxes.set(next.id, createSecretBox(key))
    }
    const box = writing === null ? this.#writing : this.#boxes.get(writing)
    if (!box) throw new SecretError(`secrets are sealed under key ${writing} now, which this node does not have`)
    this.#writing = box
  }
}
