import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { secretKey } from '../../test/leaks/marked.ts'
import { openInstallation } from './installation.ts'
import { openSecrets } from './secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'posthorn-secrets-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const newKey = (): string => secretKey()

eachDatabase('the installation', open => {
  test('several first starts at once agree on one installation, and later wishes change nothing', async () => {
    const wishes = [4, 8, 16, 32]
    const opened = await Promise.all(wishes.map(shardCount => openInstallation(open(), { shardCount })))
    expect(new Set(opened.map(one => JSON.stringify(one))).size).toBe(1)
    const [first] = opened
    expect(wishes).toContain(first!.shardCount)
    expect(first!.webhookIdKey).toHaveLength(16)
    const shards = await open().query<{ id: number }>({ name: '', text: 'SELECT id FROM posthorn.shard ORDER BY id' })
    expect(shards.map(shard => shard.id)).toEqual(Array.from({ length: first!.shardCount }, (_, i) => i))
    expect(await openInstallation(open(), { shardCount: 1 })).toEqual(first)
  })

  test('a number of shards outside its bounds is refused with the bounds', async () => {
    await expect(openInstallation(open(), { shardCount: 0 })).rejects.toThrow('from 1 to 1024, not 0')
  })

  test('the instance org has its name from the first start, and a later start that calls it otherwise is refused', async () => {
    const unbind = `UPDATE posthorn.installation SET instance_org_id = NULL;
      UPDATE posthorn.org SET name = 'instance' WHERE id = (SELECT min(id) FROM posthorn.org)`
    await open().exec(unbind)
    const wish = { shardCount: 4, instanceOrg: 'our-house' }
    const [one, two] = await Promise.all([openInstallation(open(), wish), openInstallation(open(), wish)])
    expect(one!.instanceOrgId).toBe(two!.instanceOrgId)
    expect(await openInstallation(open(), { shardCount: 4 })).toEqual(one)
    await expect(openInstallation(open(), { shardCount: 4, instanceOrg: 'theirs' })).rejects.toThrow(
      'the instance org of this installation is our-house, not theirs',
    )
    await open().exec(unbind)
    const starts = ['a', 'b', 'c'].map(instanceOrg => openInstallation(open(), { shardCount: 4, instanceOrg }))
    const ends = await Promise.allSettled(starts)
    expect(ends.filter(end => end.status === 'fulfilled')).toHaveLength(1)
  })

  test('the first key binds the installation: it is made once, kept, and another one is refused', async () => {
    await open().exec('UPDATE posthorn.installation SET secret_key_id = NULL')
    const made = await openSecrets(open(), { configured: undefined, folder })
    const file = path.join(folder, 'secret.key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['secret.key'])
    const again = await openSecrets(open(), { configured: undefined, folder })
    expect(again.open(made.seal('s', 'p'), 'p')).toBe('s')
    const configured = await openSecrets(open(), { configured: readFileSync(file, 'utf8'), folder: '/nowhere' })
    expect(configured.keyId).toBe(made.keyId)
    await expect(openSecrets(open(), { configured: newKey(), folder })).rejects.toThrow(
      new RegExp(`sealed under key ${made.keyId}, but the configured secret key is key [0-9a-f]{8}`),
    )
  })

  test('a lost key is asked for and not replaced', async () => {
    await open().exec('UPDATE posthorn.installation SET secret_key_id = NULL')
    const { keyId } = await openSecrets(open(), { configured: newKey(), folder })
    await expect(openSecrets(open(), { configured: undefined, folder })).rejects.toThrow(
      `sealed under key ${keyId}, but there is no`,
    )
    expect(readdirSync(folder)).toEqual([])
  })

  test('of several nodes that start first with keys of their own, those who came late are refused', async () => {
    await open().exec('UPDATE posthorn.installation SET secret_key_id = NULL')
    const starts = [1, 2, 3].map(() => openSecrets(open(), { configured: newKey(), folder }))
    const ends = await Promise.allSettled(starts)
    expect(ends.filter(end => end.status === 'fulfilled')).toHaveLength(1)
  })

  test('several first starts in one folder share one key', async () => {
    await open().exec('UPDATE posthorn.installation SET secret_key_id = NULL')
    const boxes = await Promise.all([1, 2, 3, 4].map(() => openSecrets(open(), { configured: undefined, folder })))
    expect(new Set(boxes.map(box => box.keyId)).size).toBe(1)
    expect(readdirSync(folder)).toEqual(['secret.key'])
  })

  test('a key that is no base64 of 32 bytes is refused without being shown', async () => {
    writeFileSync(path.join(folder, 'secret.key'), 'c2hvcnQ=')
    await expect(openSecrets(open(), { configured: undefined, folder })).rejects.toThrow(
      /secret\.key must be base64 of 32 bytes$/,
    )
    await expect(openSecrets(open(), { configured: 'not a key!', folder })).rejects.toThrow(
      'the configured secret key must be base64 of 32 bytes',
    )
  })
})
