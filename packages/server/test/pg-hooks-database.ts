/**
 * A database as pg-hooks has it, written from what is known of its tables: for tests of the import. Its times are UTC without
 * saying so, and it has no index but the primary keys.
 */
import pg from 'pg'
import { freshDatabase } from './databases.ts'

const TABLES = `
  CREATE TABLE versions (version bigint PRIMARY KEY, name text, md5 text, run_at timestamptz);
  INSERT INTO versions VALUES (0, NULL, NULL, NULL), (1, '', 'b7c6', clock_timestamp());
  CREATE TABLE queues (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL,
    callback_url varchar(2048) NOT NULL,
    method varchar(10) NOT NULL,
    headers json,
    dead_letter_queue_id integer REFERENCES queues (id) ON DELETE SET NULL,
    max_retries integer NOT NULL DEFAULT 5,
    created_at timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
    updated_at timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')
  );
  CREATE TABLE crons (
    id serial PRIMARY KEY,
    queue_id integer NOT NULL REFERENCES queues (id),
    schedule varchar(255) NOT NULL,
    created_at timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
    updated_at timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
    body text,
    headers json
  );
  CREATE TABLE messages (
    id serial PRIMARY KEY,
    queue_id integer NOT NULL REFERENCES queues (id),
    "when" timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
    body text,
    failed boolean NOT NULL DEFAULT false,
    headers json,
    sent_at timestamp,
    retries integer NOT NULL DEFAULT 0,
    cron_id integer REFERENCES crons (id),
    created_at timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC'),
    updated_at timestamp NOT NULL DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')
  )`

export interface PgHooks {
  readonly url: string
  query<Row = Record<string, unknown>>(text: string, params?: unknown[]): Promise<Row[]>
  /** A row from its columns; gives its id. */
  add(table: 'queues' | 'crons' | 'messages', columns: Readonly<Record<string, unknown>>): Promise<number>
  /** What pg-hooks would send now or later, by id. */
  pending(): Promise<number[]>
  /** A process of pg-hooks: holds the lock of the one that sends, or asks for it in vain, until this is called. */
  run(): Promise<() => Promise<void>>
  close(): Promise<void>
}

export async function openPgHooks(): Promise<PgHooks> {
  const own = await freshDatabase()
  const client = await connect(own.url)
  await client.query(TABLES)
  const query: PgHooks['query'] = async (text, params = []) => (await client.query(text, params)).rows as never
  return {
    url: own.url,
    query,
    async add(table, columns) {
      const names = Object.keys(columns).map(name => `"${name}"`)
      const places = names.map((_, i) => `$${i + 1}`)
      const text = `INSERT INTO ${table} (${names}) VALUES (${places}) RETURNING id`
      return (await query<{ id: number }>(text, Object.values(columns)))[0]!.id
    },
    async pending() {
      const rows = await query<{ id: number }>(
        'SELECT id FROM messages WHERE sent_at IS NULL AND failed = false ORDER BY id',
      )
      return rows.map(({ id }) => id)
    },
    run: () => run(own.url),
    async close() {
      await client.end()
      await own.drop()
    },
  }
}

async function run(url: string): Promise<() => Promise<void>> {
  const client = await connect(url)
  await client.query('SELECT pg_try_advisory_lock($1) as leader;', [42])
  return () => client.end()
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // its database may be dropped under it
  await client.connect()
  return client
}
