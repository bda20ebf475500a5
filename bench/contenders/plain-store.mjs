/** What storing costs without any queue: one prepared INSERT a call, autocommitted, over a connection for each caller up to 32. */
import pg from 'pg'

const MOST_CONNECTIONS = 32
const INSERT = { name: 'put', text: 'INSERT INTO plain (body) VALUES ($1) RETURNING id' }

export async function openPlainStore(databaseUrl) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: MOST_CONNECTIONS })
  await pool.query('CREATE TABLE plain (id bigserial PRIMARY KEY, body text NOT NULL)')
  return {
    insert: body => pool.query({ ...INSERT, values: [body] }),
    async count() {
      const { rows } = await pool.query('SELECT count(*)::int AS count FROM plain')
      return rows[0].count
    },
    stop: () => pool.end(),
  }
}
