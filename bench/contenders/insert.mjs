/** What storing costs without any queue: one prepared INSERT a call, autocommitted, over a connection for each caller up to 32. */
import pg from 'pg'
import { makeBody } from '../body.mjs'
import { closedLoop } from './load.mjs'

const MOST_CONNECTIONS = 32
const INSERT = { name: 'put', text: 'INSERT INTO plain (body) VALUES ($1) RETURNING id' }

export async function start({ databaseUrl }) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: MOST_CONNECTIONS })
  await pool.query('CREATE TABLE plain (id bigserial PRIMARY KEY, body text NOT NULL)')
  return {
    put: ({ first, ...load }) => closedLoop(load, id => pool.query({ ...INSERT, values: [makeBody(first + id, 0)] })),
    async stored() {
      const { rows } = await pool.query('SELECT count(*)::int AS count FROM plain')
      return rows[0].count
    },
    stop: () => pool.end(),
  }
}
