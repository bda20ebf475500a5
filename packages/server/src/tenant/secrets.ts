/**
 * Secrets at rest: which key this installation seals them with.
 *
 * The key comes from the configuration, or is made once in the data folder. The installation remembers the id of the
 * first key used, so a node with another key refuses to start instead of sealing what the others cannot open. A key is
 * never made where the installation already has one: a lost key must be noticed, not replaced. While a rotation is under way
 * (`rotate-secrets.ts`), the key of before is taken too.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import type { Database, Statement } from '../db/port.ts'
import { SECRET_KEY_BYTES, SecretError } from './secret-box.ts'
import { readKeyState, SecretRing } from './secret-ring.ts'

export interface SecretKeySource {
  /** Base64 of 32 bytes, from the configuration. */
  readonly configured: string | undefined
  /** Where the key is made and kept if none is configured. */
  readonly folder: string
}

const BIND_KEY_ID: Statement = {
  name: 'secret_key_bind',
  text: 'UPDATE posthorn.installation SET secret_key_id = $1 WHERE secret_key_id IS NULL',
}
const KEY_FILE = 'secret.key'
const NEXT_FILE = 'secret.key.next'

/** Opens the installation's secrets, after `openInstallation`. @throws SecretError if the key is missing, malformed or not the installation's. */
export async function openSecrets(db: Database, source: SecretKeySource): Promise<SecretRing> {
  const { writing: expected } = await readKeyState(db)
  const ring = new SecretRing(await loadKey(source, expected))
  if (expected === null) await db.query(BIND_KEY_ID, [ring.keyId])
  const state = await readKeyState(db)
  const own = ring.keyId
  try {
    ring.learn(state)
  } catch (error) {
    if (!(error instanceof SecretError)) throw error
    const from = source.configured === undefined ? path.join(source.folder, KEY_FILE) : 'the configured secret key'
    throw new SecretError(
      `this installation's secrets are sealed under key ${state.writing}, but ${from} is key ${own}: give this node the key of the others`,
    )
  }
  return ring
}

/** The key that a node would start with. @throws SecretError if there is none, or it is malformed */
export async function readKey(source: SecretKeySource): Promise<Buffer> {
  return loadKey(source, 'in use')
}

/** A new key, safe in the data folder until `keepNextKey` puts it in the place of the old one. The same if called again. */
export async function makeNextKey(folder: string): Promise<Buffer> {
  const file = path.join(folder, NEXT_FILE)
  if (!(await readKeyFile(file))) await makeKeyFile(file)
  return (await readKeyFile(file))!
}

/** Whole or not at all: the file has the old key or the new one. */
export async function keepNextKey(folder: string, key: Buffer): Promise<void> {
  const next = path.join(folder, NEXT_FILE)
  const held = await readKeyFile(next)
  if (held && !held.equals(key)) throw new SecretError(`${next} is not the key that secrets are sealed under now`)
  if (held) await rename(next, path.join(folder, KEY_FILE))
  await syncFolder(folder)
}

async function loadKey(source: SecretKeySource, expected: string | null): Promise<Buffer> {
  if (source.configured !== undefined) return decodeKey(source.configured, 'the configured secret key')
  const file = path.join(source.folder, KEY_FILE)
  const found = await readKeyFile(file)
  if (found) return found
  if (expected !== null) {
    throw new SecretError(
      `this installation's secrets are sealed under key ${expected}, but there is no ${file}: restore it, or configure the secret key`,
    )
  }
  await makeKeyFile(file)
  const made = await readKeyFile(file)
  if (!made) throw new SecretError(`${file} vanished while it was made`)
  return made
}

/** @throws SecretError */
export function decodeKey(text: string, origin: string): Buffer {
  const trimmed = text.trim()
  const key = Buffer.from(trimmed, 'base64')
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(trimmed) || key.length !== SECRET_KEY_BYTES)
    throw new SecretError(`${origin} must be base64 of ${SECRET_KEY_BYTES} bytes`)
  return key
}

async function readKeyFile(file: string): Promise<Buffer | undefined> {
  try {
    return decodeKey(await readFile(file, 'utf8'), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, and the first of several makers wins: the file appears under its name by link, which never replaces. */
async function makeKeyFile(file: string): Promise<void> {
  const folder = path.dirname(file)
  await mkdir(folder, { recursive: true })
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(`${randomBytes(SECRET_KEY_BYTES).toString('base64')}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await publish(draft, file)
  await syncFolder(folder)
}

async function publish(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    // Some file systems have no hard links: there, a second maker would be noticed by the installation's key id.
    if (code !== 'EEXIST') return rename(draft, file)
  }
  await unlink(draft)
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // a folder cannot be opened there
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
