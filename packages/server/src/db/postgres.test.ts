import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  describePostgres,
  freshDatabase,
  type Opened,
  type OwnDatabase,
  openFresh,
  postgresOfRun,
} from '../../test/databases.ts'
import { type Log, silentLog } from '../log.ts'
import { Connection } from './connection.ts'
import { openDatabase } from './open.ts'
import { DatabaseError, type LockSession } from './port.ts'
import { connectTo } from './postgres.ts'
import { StatementTexts } from './schema.ts'

const sql = (text: string) => ({ name: '', text })
const ownPid = sql('SELECT pg_backend_pid() AS pid')
const nowhere = { dataDir: '/nonexistent' }

async function failureOf(promise: Promise<unknown>): Promise<DatabaseError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(DatabaseError)
  return error as DatabaseError
}

describePostgres('PostgreSQL', () => {
  let opened: Opened
  let admin: pg.Client

  beforeAll(async () => {
    opened = await openFresh('postgres')
    await opened.db.exec('CREATE SCHEMA posthorn; CREATE TABLE posthorn.t (a integer)')
    admin = new pg.Client({ connectionString: opened.options.url })
    await admin.connect()
  })
  beforeEach(() => opened.db.exec('TRUNCATE posthorn.t'))
  afterAll(async () => {
    await admin?.end()
    await opened?.remove()
  })

  const terminate = (pid: number) => admin.query('SELECT pg_terminate_backend($1)', [pid])
  /** Terminates the backend that runs a statement with this text, once it is running. */
  async function terminateRunning(text: string): Promise<void> {
    const find = `SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()`
    const { rows } = await expect
      .poll(() => admin.query(find, [`%${text}%`]).then(r => r.rows))
      .not.toEqual([])
      .then(() => admin.query(find, [`%${text}%`]))
    await terminate(rows[0].pid)
  }
  const count = async () => (await opened.db.query<{ n: number }>(sql('SELECT count(*) AS n FROM posthorn.t')))[0]!.n

  describe('a lost connection', () => {
    test('in the middle of a statement: unknown', async () => {
      const statement = opened.db.query(sql('INSERT INTO posthorn.t SELECT 1 FROM pg_sleep(20) -- cut me'))
      const [failure] = await Promise.all([failureOf(statement), terminateRunning('cut me')])
      expect(failure).toMatchObject({ outcome: 'unknown', sqlState: '57P01' })
      expect(await count()).toBe(0)
    })

    test('in a transaction before its commit: unsent, for the statement and for the transaction', async () => {
      let inside: DatabaseError | undefined
      const failure = await failureOf(
        opened.db.transaction(async tx => {
          const [row] = await tx.query<{ pid: number }>(ownPid)
          await tx.exec('INSERT INTO posthorn.t VALUES (1)')
          await terminate(row!.pid)
          inside = await failureOf(tx.exec('INSERT INTO posthorn.t VALUES (2)'))
        }),
      )
      expect(inside?.outcome).toBe('unsent')
      expect(failure.outcome).toBe('unsent')
      expect(await count()).toBe(0)
    })

    test('in a transaction between its statements: unsent, and the process lives', async () => {
      const failure = await failureOf(
        opened.db.transaction(async tx => {
          const [row] = await tx.query<{ pid: number }>(ownPid)
          await tx.exec('INSERT INTO posthorn.t VALUES (1)')
          await terminate(row!.pid)
          const gone = 'SELECT count(*)::int AS n FROM pg_stat_activity WHERE pid = $1'
          await expect.poll(() => admin.query(gone, [row!.pid]).then(r => r.rows[0].n)).toBe(0)
          await new Promise(setImmediate)
        }),
      )
      expect(['unsent', 'unknown']).toContain(failure.outcome)
      expect(await count()).toBe(0)
    })

    test('in the middle of a commit: unknown', async () => {
      await opened.db.exec(`
        CREATE TABLE posthorn.slow (a integer);
        CREATE FUNCTION posthorn.wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON posthorn.slow DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION posthorn.wait()`)
      const transaction = opened.db.transaction(tx => tx.exec('INSERT INTO posthorn.slow VALUES (1)'))
      const [failure] = await Promise.all([failureOf(transaction), terminateRunning('COMMIT')])
      expect(failure.outcome).toBe('unknown')
    })

    test('while idle is replaced without anybody noticing', async () => {
      const [row] = await opened.db.query<{ pid: number }>(ownPid)
      await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      await expect
        .poll(async () => (await opened.db.query<{ pid: number }>(ownPid).catch(() => [row!]))[0]!.pid)
        .not.toBe(row!.pid)
      expect(await Promise.all([count(), count(), count()])).toEqual([0, 0, 0])
    })

    test('without a word is given up in time: unknown', async () => {
      const proxy = await startProxy()
      const client = new pg.Client(connectTo(proxy.url(opened.options.url!), {}))
      client.on('error', () => {})
      await client.connect()
      const connection = new Connection(client, new StatementTexts('posthorn'), {
        afterMs: 100,
        run: () => void client.end(),
      })
      await connection.query(ownPid)
      proxy.silence()
      expect((await failureOf(connection.query(ownPid))).outcome).toBe('unknown')
      expect(connection.broken).toBe(true)
      expect((await failureOf(connection.query(ownPid))).outcome).toBe('unsent')
      await proxy.stop()
    })
  })

  test('a statement over its time is refused by the server, and the connection lives on', async () => {
    const failure = await failureOf(
      opened.db.transaction(async tx => {
        await tx.exec('SET LOCAL statement_timeout = 50')
        await tx.query(sql('SELECT pg_sleep(20)'))
      }),
    )
    expect(failure).toMatchObject({ outcome: 'rejected', sqlState: '57014' })
  })

  test('ordinary and hot statements are bounded, exec and slow transactions are not; hot plans are forced', async () => {
    const settings = sql(
      "SELECT current_setting('statement_timeout') AS timeout, current_setting('enable_seqscan') AS scan",
    )
    expect(await opened.db.query(settings)).toEqual([{ timeout: '30s', scan: 'on' }])
    expect(await opened.db.hot.query(settings)).toEqual([{ timeout: '30s', scan: 'off' }])
    expect(await opened.db.transaction(tx => tx.query(settings), { slow: true })).toEqual([
      { timeout: '0', scan: 'on' },
    ])
  })

  test('listening heals after a cut, and says that something may have been missed', async () => {
    const heard: string[] = []
    let missed = 0
    const listening = await opened.db.listen(
      'news',
      payload => heard.push(payload),
      () => missed++,
    )
    expect(missed).toBe(1)
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'posthorn listener'",
    )
    await expect.poll(() => missed, { timeout: 5000 }).toBe(2)
    await admin.query("SELECT pg_notify('news', 'after')")
    await expect.poll(() => heard).toEqual(['after'])
    await listening.stop()
  })

  describe('a lock session', () => {
    const lock = sql('SELECT pg_try_advisory_lock($1, 1) AS got')
    const ended: string[] = []
    const openSession = (idleTimeoutMs = 60_000): Promise<LockSession> => {
      ended.length = 0
      return opened.db.openLockSession({ idleTimeoutMs, ended: reason => ended.push(reason.message) })
    }
    const isFree = async () =>
      (
        await opened.db.transaction(tx =>
          tx.query(sql('SELECT pg_try_advisory_xact_lock($1, 1) AS free'), [opened.db.lockSpace]),
        )
      )[0]!.free

    test('holds its locks until it is closed, and closing is no loss', async () => {
      const session = await openSession()
      expect(await session.query(lock, [opened.db.lockSpace])).toEqual([{ got: true }])
      expect(await isFree()).toBe(false)
      await session.close()
      expect(await isFree()).toBe(true)
      expect(ended).toEqual([])
      expect((await failureOf(session.exec('SELECT 1'))).outcome).toBe('unsent')
      await session.close()
    })

    test('says once that it was lost, and fails the statement under way', async () => {
      const session = await openSession()
      const [row] = await session.query<{ pid: number }>(ownPid)
      const statement = failureOf(session.query(sql('SELECT pg_sleep(20)')))
      await terminate(row!.pid)
      expect((await statement).outcome).toBe('unknown')
      await expect.poll(() => ended).toHaveLength(1)
      expect((await failureOf(session.query(ownPid))).outcome).toBe('unsent')
      await session.close()
      expect(ended).toHaveLength(1)
    })

    test('that is silent too long is ended by the server itself', async () => {
      const session = await openSession(100)
      await session.query(lock, [opened.db.lockSpace])
      await expect.poll(() => ended, { timeout: 5000 }).toHaveLength(1)
      expect(ended[0]).toContain('idle-session timeout')
      expect(await isFree()).toBe(true)
      await session.close()
    })

    test('closes in a second even if nobody answers any more', async () => {
      const proxy = await startProxy()
      const db = await openDatabase({ ...opened.options, lockUrl: proxy.url(opened.options.url!) }, silentLog)
      const session = await db.openLockSession({ idleTimeoutMs: 60_000, ended: reason => ended.push(reason.message) })
      ended.length = 0
      proxy.silence()
      const start = performance.now()
      await session.close()
      expect(performance.now() - start).toBeLessThan(2000)
      expect(ended).toEqual([])
      await db.stop()
      await proxy.stop()
    })
  })
})

describePostgres('opening PostgreSQL', () => {
  let own: OwnDatabase
  beforeAll(async () => {
    own = await freshDatabase()
  })
  afterAll(() => own?.drop())

  function listeningLog(): { log: Log; said: string[] } {
    const said: string[] = []
    const say = (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`)
    return { said, log: { debug: say, info: say, warn: say, error: say } }
  }

  test('waits for a server that is not there yet, saying so without the password, until it comes', async () => {
    const proxy = await startProxy()
    const { log, said } = listeningLog()
    const url = proxy.url(own.url).replace('//', '//postgres:geheim@').replace('geheim@postgres@', 'geheim@')
    await proxy.stop()
    const opening = openDatabase({ ...nowhere, url }, log)
    await expect.poll(() => said.length).toBeGreaterThan(1)
    await proxy.start()
    const db = await opening
    expect(said[0]).toMatch(/^waiting for the database test_\w+ at 127\.0\.0\.1:\d+ .*ECONNREFUSED/)
    expect(said.join()).not.toContain('geheim')
    await db.stop()
  })

  test('stops waiting when the signal says so', async () => {
    const stopping = new AbortController()
    const { log, said } = listeningLog()
    const opening = openDatabase({ ...nowhere, url: 'postgres://127.0.0.1:1/nothing', signal: stopping.signal }, log)
    await expect.poll(() => said.length).toBeGreaterThan(0)
    stopping.abort(new Error('told to stop'))
    await expect(opening).rejects.toThrow()
  })

  test.each([
    [
      'a database that does not exist',
      () => own.url.replace(/test_\w+/, 'missing'),
      /cannot use the database missing at .*does not exist/,
    ],
    ['what is no connection string', () => 'postgres://[', /database url: not a PostgreSQL connection string/],
  ])('refuses %s at once', async (_, url, message) => {
    await expect(openDatabase({ ...nowhere, url: url() }, silentLog)).rejects.toThrow(message)
  })

  test('refuses a database that is not encoded in UTF8', async () => {
    const admin = new pg.Client({ connectionString: postgresOfRun().url })
    await admin.connect()
    const name = own.url.match(/test_\w+/)![0].replace('test_', 'latin_')
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`)
    const url = own.url.replace(/test_\w+/, name)
    await expect(openDatabase({ ...nowhere, url }, silentLog)).rejects.toThrow(
      'must be encoded in UTF8; its encoding is LATIN1',
    )
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    await admin.end()
  })

  test('a wait to listen ends with the database', async () => {
    const proxy = await startProxy()
    const db = await openDatabase({ ...nowhere, url: own.url, lockUrl: proxy.url(own.url) }, silentLog)
    await proxy.stop()
    const listening = db.listen(
      'never',
      () => {},
      () => {},
    )
    await db.stop()
    await (await listening).stop()
  })

  test('refused connections later are unsent, and it heals when the server is back', async () => {
    const proxy = await startProxy()
    const db = await openDatabase({ ...nowhere, url: proxy.url(own.url), poolSize: 2 }, silentLog)
    await proxy.stop()
    await failureOf(db.query(ownPid))
    const listening = db.listen(
      'later',
      () => {},
      () => {},
    )
    expect((await failureOf(db.query(ownPid))).outcome).toBe('unsent')
    expect((await failureOf(db.transaction(tx => tx.query(ownPid)))).outcome).toBe('unsent')
    await proxy.start()
    expect(await db.query(ownPid)).toHaveLength(1)
    await listening
    await db.stop()
  })
})

interface Proxy {
  url(of: string): string
  /** Swallows everything from now on, in both directions, and closes nothing. */
  silence(): void
  start(): Promise<void>
  /** Cuts every connection and refuses new ones. */
  stop(): Promise<void>
}

/** A TCP proxy in front of the run's server. */
async function startProxy(): Promise<Proxy> {
  const { host, port } = new pg.Client({ connectionString: postgresOfRun().url })
  const target = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
  const sockets = new Set<Socket>()
  let silent = false
  let ownPort = 0
  const server = createServer(near => {
    const far = connect(target)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', data => silent || to.write(data))
      from.on('error', () => {})
      from.on('close', () => silent || to.destroy())
    }
  })
  const start = () =>
    new Promise<void>(listening =>
      server.listen(ownPort, '127.0.0.1', () => {
        ownPort = (server.address() as AddressInfo).port
        silent = false
        listening()
      }),
    )
  await start()
  return {
    url: of => {
      const { user, database } = new pg.Client({ connectionString: of })
      return `postgres://${user}@127.0.0.1:${ownPort}/${database}`
    },
    silence: () => {
      silent = true
    },
    start,
    stop: () =>
      new Promise(stopped => {
        server.close(() => stopped())
        for (const socket of sockets) socket.destroy()
        sockets.clear()
      }),
  }
}
