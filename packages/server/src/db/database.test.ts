import { AsyncResource } from 'node:async_hooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DATABASE_KINDS, describePostgres, eachDatabase, type Opened, openFresh } from '../../test/databases.ts'
import { DatabaseError } from './port.ts'

const sql = (text: string) => ({ name: '', text })

async function failureOf(promise: Promise<unknown>): Promise<DatabaseError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(DatabaseError)
  return error as DatabaseError
}

eachDatabase('a database', open => {
  beforeAll(() =>
    open().exec('CREATE TABLE posthorn.thing (id integer PRIMARY KEY, name text CHECK (name <> $$bad$$))'),
  )
  const ids = async () =>
    (await open().query<{ id: number }>(sql('SELECT id FROM posthorn.thing ORDER BY id'))).map(r => r.id)
  const insert = sql('INSERT INTO posthorn.thing (id) VALUES ($1)')

  test('a statement is prepared under its name and runs again with other parameters', async () => {
    const statement = { name: 'twice', text: 'SELECT $1::int4 * 2 AS n' }
    expect(await open().query(statement, [1])).toEqual([{ n: 2 }])
    expect(await open().query(statement, [2])).toEqual([{ n: 4 }])
    const failure = await failureOf(open().query({ name: 'twice', text: 'SELECT 3 AS n' }))
    expect(failure.message).toContain('two different statements are named twice')
  })

  test('a refused statement is told by its SQLSTATE and constraint, and the connection lives on', async () => {
    expect(await failureOf(open().query(sql('SELECT nothing')))).toMatchObject({
      outcome: 'rejected',
      sqlState: '42703',
    })
    const bad = sql("INSERT INTO posthorn.thing VALUES (-1, 'bad')")
    expect(await failureOf(open().query(bad))).toMatchObject({ sqlState: '23514', constraint: 'thing_name_check' })
    expect(await open().query(sql('SELECT 1 AS one'))).toEqual([{ one: 1 }])
  })

  test('a statement whose table has changed its columns is prepared anew', async () => {
    await open().exec('CREATE TABLE posthorn.changing (a integer)')
    const all = { name: 'all_of_changing', text: 'SELECT * FROM posthorn.changing' }
    await open().query(all)
    await open().exec('ALTER TABLE posthorn.changing ADD COLUMN b integer')
    const failure = await open()
      .query(all)
      .then(
        () => undefined,
        (error: DatabaseError) => error,
      )
    if (failure) expect(failure).toMatchObject({ outcome: 'rejected', sqlState: '0A000' })
    expect(await open().query(all)).toEqual([])
  })

  test('exec runs several statements at once, all or none', async () => {
    await open().exec('INSERT INTO posthorn.thing VALUES (101); INSERT INTO posthorn.thing VALUES (102)')
    const failure = await failureOf(
      open().exec('INSERT INTO posthorn.thing VALUES (103); INSERT INTO posthorn.thing VALUES (101)'),
    )
    expect(failure).toMatchObject({ outcome: 'rejected', sqlState: '23505', constraint: 'thing_pkey' })
    expect((await ids()).filter(id => id > 100)).toEqual([101, 102])
  })

  test('exec can vacuum', () => open().exec('VACUUM (ANALYZE) posthorn.thing'))

  test('a transaction commits what its work did and gives its result', async () => {
    const result = await open().transaction(async tx => {
      await Promise.all([tx.query(insert, [1]), tx.query(insert, [2])])
      return 'done'
    })
    expect(result).toBe('done')
    expect(await ids()).toEqual(expect.arrayContaining([1, 2]))
  })

  test('a transaction whose work rejects leaves nothing and rejects with the same error', async () => {
    const reason = new Error('changed my mind')
    const promise = open().transaction(async tx => {
      await tx.query(insert, [10])
      throw reason
    })
    await expect(promise).rejects.toBe(reason)
    expect(await ids()).not.toContain(10)
  })

  test('a transaction that swallows a failed statement is not taken for committed', async () => {
    const failure = await failureOf(
      open().transaction(async tx => {
        await tx.query(insert, [20])
        await tx.query(sql('SELECT nothing')).catch(() => {})
      }),
    )
    expect(failure).toMatchObject({
      outcome: 'rejected',
      sqlState: '42703',
      message: expect.stringContaining('rolled back'),
    })
    expect(await ids()).not.toContain(20)
  })

  test('a constraint that fails at the commit rejects the transaction', async () => {
    await open().exec(`CREATE TABLE posthorn.late (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)`)
    const failure = await failureOf(
      open().transaction(tx => tx.exec('INSERT INTO posthorn.late VALUES (1); INSERT INTO posthorn.late VALUES (1)')),
    )
    expect(failure).toMatchObject({ outcome: 'rejected', sqlState: '23505' })
  })

  test('a statement after the end of its transaction is refused', async () => {
    const kept = await open().transaction(async tx => tx)
    expect(await failureOf(kept.query(sql('SELECT 1')))).toMatchObject({
      outcome: 'unsent',
      message: expect.stringContaining('has ended'),
    })
  })

  test('a statement beside a transaction sees all of it or nothing', async () => {
    let beside: Promise<number[]> = Promise.resolve([])
    const outside = AsyncResource.bind(() => {
      beside = ids()
    })
    await open().transaction(async tx => {
      await tx.query(insert, [30])
      outside()
      await tx.query(insert, [31])
    })
    const seen = await beside
    expect(seen.includes(30)).toBe(seen.includes(31))
  })

  test('notifications are heard by every listener of the channel, after the commit, until it stops', async () => {
    const heard: string[] = []
    let missed = 0
    const arrived = (n: number) => expect.poll(() => heard.length).toBe(n)
    const listening = await open().listen(
      'Channel "x"',
      payload => heard.push(payload),
      () => missed++,
    )
    expect(missed).toBe(1)
    await open().query(sql("SELECT pg_notify('Channel \"x\"', 'one')"))
    await arrived(1)
    await open().transaction(async tx => {
      await tx.query(sql("SELECT pg_notify('Channel \"x\"', 'two')"))
      await tx.query(sql("SELECT pg_notify('another', 'three')"))
      expect(heard).toEqual(['one'])
    })
    await arrived(2)
    await listening.stop()
    await open().query(sql("SELECT pg_notify('Channel \"x\"', 'four')"))
    await open().query(sql('SELECT 1'))
    expect(heard).toEqual(['one', 'two'])
    expect(missed).toBe(1)
  })
})

for (const kind of DATABASE_KINDS) {
  const describeKind = kind === 'postgres' ? describePostgres : describe
  describeKind(`stopping (${kind})`, () => {
    let opened: Opened
    beforeAll(async () => {
      opened = await openFresh(kind, { schema: 'Of "mine"', poolSize: 1 })
    })
    afterAll(() => opened?.remove())

    test('lets what is running and waiting finish, refuses what comes later, and may be called twice', async () => {
      const { db } = opened
      await db.exec('CREATE SCHEMA "Of ""mine"""; CREATE TABLE posthorn.t (a integer)')
      const rows = Array.from({ length: 20 }, (_, i) =>
        db.query(sql('INSERT INTO posthorn.t VALUES ($1) RETURNING a'), [i]),
      )
      const transaction = db.transaction(async tx => {
        await tx.exec('INSERT INTO posthorn.t VALUES (99)')
        return tx.query<{ n: number }>(sql('SELECT count(*) AS n FROM posthorn.t'))
      })
      const stopped = db.stop()
      expect(await failureOf(db.query(sql('SELECT 1')))).toMatchObject({ outcome: 'unsent' })
      expect((await Promise.all(rows)).flat()).toHaveLength(20)
      expect((await transaction)[0]!.n).toBeGreaterThan(0)
      await stopped
      await db.stop()
    })
  })
}
