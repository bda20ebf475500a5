import type { Scope } from '@posthorn/contract'
import { beforeAll, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, openTenantRoom } from '../../test/queue-room.ts'
import { HandClock } from '../../test/run-room.ts'
import type { Executor } from '../db/port.ts'
import { silentLog } from '../log.ts'
import { KeyBook } from './key-book.ts'
import { hashToken, isToken, makeToken, shownOf } from './tokens.ts'

test('a key has 256 bits of chance in letters and digits, and is never the same twice', () => {
  const tokens = Array.from({ length: 100 }, makeToken)
  expect(new Set(tokens).size).toBe(100)
  for (const token of tokens) {
    expect(token).toMatch(/^phk_[A-Za-z0-9]{43}$/)
    expect(isToken(token)).toBe(true)
    expect(shownOf(token)).toBe(token.slice(0, 12))
  }
  // Of 4300 draws each of the 62 is expected 69 times.
  const drawn = new Set(tokens.flatMap(token => [...token.slice(4)]))
  expect(drawn.size).toBe(62)
})

eachDatabase('keys', open => {
  let orgId: number
  let otherId: number
  const room = () => openTenantRoom(open(), orgId).handlers
  const caller = () => ({ orgId })
  beforeAll(async () => {
    orgId = await addOrg(open(), 'mine')
    otherId = await addOrg(open(), 'theirs')
  })

  test('are told once, and only their hash is kept', async () => {
    const made = await room()['keys.create'](caller(), { name: 'ci', scopes: ['message:save', 'queue:*'] })
    expect(made).toMatchObject({ name: 'ci', scopes: ['message:save', 'queue:*'], lastUsedAt: null, expiresAt: null })
    expect(made.token!.startsWith(made.prefix)).toBe(true)
    const again = await room()['keys.get'](caller(), { id: made.id })
    expect(again).toEqual({ ...made, token: null })
    const { items } = await room()['keys.list'](caller(), asked() as never)
    expect(items).toContainEqual(again)
    const [row] = await open().query<{ all: string }>(
      { name: '', text: 'SELECT k::text AS all FROM posthorn.api_key AS k WHERE id = $1' },
      [made.id],
    )
    expect(row!.all).not.toContain(made.token!.slice(12))
    expect(row!.all).toContain(hashToken(made.token!))
  })

  test('of another org are as if they were not there', async () => {
    const made = await room()['keys.create']({ orgId: otherId }, { name: 'k', scopes: ['*'] })
    await expect(room()['keys.get'](caller(), { id: made.id })).rejects.toThrow(`Key ${made.id} not found`)
    await expect(room()['keys.delete'](caller(), { id: made.id })).rejects.toThrow(`Key ${made.id} not found`)
    const { items } = await room()['keys.list'](caller(), asked() as never)
    expect(items.map(({ id }) => id)).not.toContain(made.id)
    expect(await room()['keys.get']({ orgId: otherId }, { id: made.id })).toMatchObject({ id: made.id })
  })

  test('take scopes that there are, and a time that is to come', async () => {
    const create = (more: object) => room()['keys.create'](caller(), { name: 'k', scopes: ['*'], ...more })
    await expect(create({ scopes: ['queue:find', 'queue:fnd'] })).rejects.toThrow(
      'body/scopes/1: there is no scope queue:fnd; the nearest is queue:find',
    )
    for (const scope of ['org:find', 'org:*', '', ':*', 'queue:', '*:*'])
      await expect(create({ scopes: [scope] })).rejects.toThrow(`there is no scope ${scope};`)
    await expect(create({ expiresAt: '2020-01-01T00:00:00Z' })).rejects.toThrow('body/expiresAt must be a date')
  })

  test('made by a key have no more than that one, and end no later', async () => {
    const expiresAt = Date.now() + 3_600_000
    const scopes = new Set<Scope>(['key:save', 'queue:find'])
    const key = { id: 1, orgId, orgName: 'mine', name: 'k', scopes, expiresAt }
    const create = (more: object) =>
      room()['keys.create']({ orgId, key }, { name: 'k', scopes: ['queue:find'], ...more })
    const sooner = new Date(expiresAt - 1000).toISOString()
    expect(await create({ expiresAt: sooner })).toMatchObject({ scopes: ['queue:find'], expiresAt: sooner })
    for (const scope of ['*', 'queue:*', 'queue:save'])
      await expect(create({ scopes: [scope], expiresAt: sooner })).rejects.toThrow('body/scopes: this API key can make')
    await expect(create({})).rejects.toThrow('body/expiresAt: this API key can make')
    const later = new Date(expiresAt + 1000).toISOString()
    await expect(create({ expiresAt: later })).rejects.toThrow('body/expiresAt: this API key can make')
  })

  const openBook = () => {
    const clock = new HandClock()
    clock.time = Date.now()
    let asked = 0
    const db: Executor = {
      query(statement, params) {
        asked++
        return open().query(statement, params)
      },
      rows: (...args) => open().rows(...args),
      exec: sql => open().exec(sql),
    }
    return { clock, asked: () => asked, book: new KeyBook({ db, clock, log: silentLog }) }
  }

  test('are known from memory, until something changes', async () => {
    const { book, asked } = openBook()
    const made = await room()['keys.create'](caller(), { name: 'k', scopes: ['queue:*'] })
    const known = await book.find(made.token!)
    expect(known).toMatchObject({ id: made.id, orgId, orgName: 'mine' })
    expect([...known!.scopes]).toEqual(['queue:find', 'queue:save', 'queue:delete'])
    expect(book.find(made.token!)).toBe(known)
    expect(asked()).toBe(1)
    await room()['keys.delete'](caller(), { id: made.id })
    expect(book.find(made.token!)).toBe(known)
    book.forgetOrg(orgId + 1000)
    expect(book.find(made.token!)).toBe(known)
    book.forgetOrg(orgId)
    expect(await book.find(made.token!)).toBeNull()
    await book.stop()
  })

  test('that were made up cost no statement each, and none if they could not be one', async () => {
    const { book, asked } = openBook()
    expect(book.find('phk_short')).toBeNull()
    const guesses = Array.from({ length: 50 }, makeToken)
    expect(await Promise.all(guesses.map(guess => book.find(guess)))).toEqual(guesses.map(() => null))
    expect(asked()).toBeLessThanOrEqual(2)
    expect(book.find(guesses[0]!)).toBeNull()
    expect(asked()).toBeLessThanOrEqual(2)
  })

  test('end when their time is over, also those in memory', async () => {
    const { book, clock } = openBook()
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const made = await room()['keys.create'](caller(), { name: 'k', scopes: ['*'], expiresAt })
    clock.time = Date.parse(expiresAt) - 1
    expect(await book.find(made.token!)).not.toBeNull()
    clock.time = Date.parse(expiresAt)
    expect(await book.find(made.token!)).toBeNull()
  })

  test('have their last use written down, once a minute however often they are used', async () => {
    const { book, clock, asked } = openBook()
    const made = await room()['keys.create'](caller(), { name: 'k', scopes: ['*'] })
    const lastUse = async () => (await room()['keys.get'](caller(), { id: made.id })).lastUsedAt
    const first = clock.now()
    for (let i = 0; i < 100; i++) await book.find(made.token!)
    await clock.pass(1000)
    await expect.poll(lastUse).toBe(new Date(first).toISOString())
    await clock.pass(30_000)
    await book.find(made.token!)
    await clock.pass(5_000)
    expect(asked()).toBe(2)
    await clock.pass(30_000)
    await book.find(made.token!)
    await book.stop()
    expect(Date.parse((await lastUse())!)).toBeGreaterThan(first + 60_000)
    expect(asked()).toBe(3)
  })
})
