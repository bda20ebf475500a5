import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { secretBytes, signingSecret } from '../../test/leaks/marked.ts'
import { addOrg } from '../../test/queue-room.ts'
import { openInstallation } from './installation.ts'
import { type Rotation, rotateSecrets } from './rotate-secrets.ts'
import { openQueueSecret, queueSecretsPlace, servicePasswordPlace } from './sealed-columns.ts'
import { createSecretBox } from './secret-box.ts'
import { readKeyState, SecretRing } from './secret-ring.ts'
import { keepNextKey, makeNextKey, openSecrets, readKey } from './secrets.ts'

const [ONE, TWO] = [signingSecret(), signingSecret()]

eachDatabase('a rotation of the key of secrets', open => {
  const QUEUES = 450 // more than two pages
  let orgId: number
  let old: Buffer
  let next: Buffer
  beforeAll(async () => {
    await openInstallation(open(), { shardCount: 4 })
    orgId = await addOrg(open(), 'sealed')
    await open().exec(`INSERT INTO posthorn.queue (org_id, name, method, max_retries, backoff, timeout_ms, concurrency, ordered, follow_redirects, on_gone)
      SELECT ${orgId}, 'q', 'POST', 0, '{}', 1000, 1, 'none', false, 'fail' FROM generate_series(1, ${QUEUES})`)
  })
  beforeEach(async () => {
    ;[old, next] = [secretBytes(), secretBytes()]
    await open().exec('DELETE FROM posthorn.secret_key; UPDATE posthorn.installation SET secret_key_id = NULL')
    await openSecrets(open(), { configured: old.toString('base64'), folder: '/nowhere' })
    const box = createSecretBox(old)
    const sealed = [box.seal(ONE, queueSecretsPlace(orgId)), box.seal(TWO, 'queue.secrets')]
    await open().query({ name: '', text: 'UPDATE posthorn.queue SET secrets = $1::text[]' }, [sealed])
  })

  test('seals the passwords of services anew, each for its own service', async () => {
    const text = `INSERT INTO posthorn.service (org_id, name) VALUES ($1::int, 'mailjet') RETURNING id`
    const [service] = await open().query<{ id: number }>({ name: '', text }, [orgId])
    const { id } = service!
    const sealed = createSecretBox(old).seal('hunter2', servicePasswordPlace(id))
    const keep = 'UPDATE posthorn.service SET password = $2::text WHERE id = $1::int'
    await open().query({ name: '', text: keep }, [id, sealed])
    await rotateSecrets(open(), rotation())
    const read = 'SELECT password FROM posthorn.service WHERE id = $1::int'
    const [row] = await open().query<{ password: string }>({ name: '', text: read }, [id])
    expect(createSecretBox(next).open(row!.password, servicePasswordPlace(id))).toBe('hunter2')
    await open().exec('DELETE FROM posthorn.service')
  })

  const rotation = (more: Partial<Rotation> = {}): Rotation => ({
    current: old,
    makeNext: async () => next,
    kept: async () => {},
    untilHeard: async () => {},
    progress: () => {},
    ...more,
  })
  const secretsOf = () =>
    open().query<{ id: number; secrets: string[] }>({ name: '', text: 'SELECT id, secrets FROM posthorn.queue' })
  const sealedUnder = async (): Promise<string[]> => [
    ...new Set((await secretsOf()).flatMap(({ secrets }) => secrets.map(one => one.split(':')[1]!))),
  ]

  test('leaves everything sealed under the new key, for its place, and the old one opening nothing', async () => {
    const done = await rotateSecrets(open(), rotation())
    expect(done).toEqual({ keyId: createSecretBox(next).keyId, rows: QUEUES })
    const box = createSecretBox(next)
    for (const { secrets } of await secretsOf())
      expect(secrets.map(one => box.open(one, queueSecretsPlace(orgId)))).toEqual([ONE, TWO])
    expect(() => openQueueSecret(box, box.seal('s', queueSecretsPlace(orgId)), orgId + 1)).toThrow(/sealed for another/)
    expect(await readKeyState(open())).toEqual({ writing: box.keyId, next: null })
    const start = (key: Buffer) => openSecrets(open(), { configured: key.toString('base64'), folder: '/nowhere' })
    expect((await start(next)).keyId).toBe(box.keyId)
    await expect(start(old)).rejects.toThrow(
      `this installation's secrets are sealed under key ${box.keyId}, but the configured secret key is key ${createSecretBox(old).keyId}`,
    )
  })

  test('is learned by a node that runs, and lets one start with the old key, until it is over', async () => {
    const running = await openSecrets(open(), { configured: old.toString('base64'), folder: '/nowhere' })
    const box = createSecretBox(next)
    let heard = 0
    await rotateSecrets(
      open(),
      rotation({
        untilHeard: async () => {
          running.learn(await readKeyState(open()))
          const started = await openSecrets(open(), { configured: old.toString('base64'), folder: '/nowhere' })
          for (const ring of [running, started]) {
            expect(ring.open(box.seal('s', 'p'), 'p')).toBe('s')
            expect(ring.open(createSecretBox(old).seal('s', 'p'), 'p')).toBe('s')
            // Announced first, and written with only when it can be opened everywhere.
            expect(ring.keyId).toBe(heard === 0 ? createSecretBox(old).keyId : box.keyId)
          }
          heard++
        },
      }),
    )
    expect(heard).toBe(3)
  })

  test('finds what a node that had not heard sealed under the old key meanwhile', async () => {
    let times = 0
    await rotateSecrets(
      open(),
      rotation({
        untilHeard: async () => {
          if (++times !== 2) return
          const late = [createSecretBox(old).seal('late', queueSecretsPlace(orgId))]
          const text = 'UPDATE posthorn.queue SET secrets = $1::text[] WHERE id = (SELECT max(id) FROM posthorn.queue)'
          await open().query({ name: '', text }, [late])
        },
      }),
    )
    expect(await sealedUnder()).toEqual([createSecretBox(next).keyId])
  })

  test('that was ended at any step is gone on with by the next one, with the same new key', async () => {
    for (let step = 1; step <= 3; step++) {
      let times = 0
      const crash = rotation({
        untilHeard: async () => {
          if (++times === step) throw new Error('killed')
        },
      })
      await expect(rotateSecrets(open(), crash)).rejects.toThrow('killed')
      // Another new key would be one that half of the nodes have not heard of.
      const done = await rotateSecrets(open(), rotation({ makeNext: async () => secretBytes() }))
      expect(done.keyId).toBe(createSecretBox(next).keyId)
      expect(await sealedUnder()).toEqual([done.keyId])
      old = next
      next = secretBytes()
    }
  })

  test('killed before the new key is in its place, it is not forgotten', async () => {
    const kept = async () => {
      throw new Error('killed')
    }
    await expect(rotateSecrets(open(), rotation({ kept }))).rejects.toThrow('killed')
    const started = await openSecrets(open(), { configured: old.toString('base64'), folder: '/nowhere' })
    expect(started.keyId).toBe(createSecretBox(next).keyId)
    // Whoever has the new key already can end it.
    expect(await rotateSecrets(open(), rotation({ current: next }))).toMatchObject({ rows: 0 })
    expect((await readKeyState(open())).next).toBeNull()
  })

  test('with a key that is not the installation’s, or that is in use, changes nothing', async () => {
    const before = await secretsOf()
    await expect(rotateSecrets(open(), rotation({ current: secretBytes() }))).rejects.toThrow(/this is key/)
    await expect(rotateSecrets(open(), rotation({ makeNext: async () => old }))).rejects.toThrow(
      'is the one that is in use',
    )
    expect(await secretsOf()).toEqual(before)
    expect((await readKeyState(open())).next).toBeNull()
  })

  test('what cannot be opened stops it, and the announcement stays', async () => {
    const stranger = [createSecretBox(secretBytes()).seal('s', queueSecretsPlace(orgId))]
    const text = 'UPDATE posthorn.queue SET secrets = $1::text[] WHERE id = (SELECT min(id) FROM posthorn.queue)'
    await open().query({ name: '', text }, [stranger])
    await expect(rotateSecrets(open(), rotation())).rejects.toThrow(/is not sealed under key/)
    expect((await readKeyState(open())).next).not.toBeNull()
  })

  test('a node whose key was made for it keeps it in the folder, whole at every moment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-rotate-'))
    await open().exec(
      'UPDATE posthorn.installation SET secret_key_id = NULL; UPDATE posthorn.queue SET secrets = DEFAULT',
    )
    const source = { configured: undefined, folder }
    await openSecrets(open(), source)
    const made = await makeNextKey(folder)
    expect(await makeNextKey(folder)).toEqual(made)
    const { keyId } = await rotateSecrets(
      open(),
      rotation({
        current: await readKey(source),
        makeNext: () => makeNextKey(folder),
        kept: key => keepNextKey(folder, key),
      }),
    )
    expect(readdirSync(folder)).toEqual(['secret.key'])
    expect(await readKey(source)).toEqual(made)
    expect((await openSecrets(open(), source)).keyId).toBe(keyId)
    rmSync(folder, { recursive: true })
  })
})

test('a ring says so when the installation seals with a key that it does not have', () => {
  const ring = new SecretRing(secretBytes())
  expect(() => ring.learn({ writing: 'ffffffff', next: null })).toThrow('sealed under key ffffffff now')
})
