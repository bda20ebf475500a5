/**
 * What storing costs without any queue: one prepared INSERT a call, autocommitted, over a connection for each caller up to
 * 32. And what sending what was stored comes to at least: `request` once the INSERT is answered, by the same process.
 */
import pg from 'pg'
import { makeBody } from '../body.mjs'
import { closedLoop, flowOf } from './load.mjs'
import { openClient } from './receiver-client.mjs'

const MOST_CONNECTIONS = 32
const INSERT = { name: 'put', text: 'INSERT INTO plain (body) VALUES ($1) RETURNING id' }

export async function start({ databaseUrl, sinkUrl }) {
  const client = openClient()
  const pool = new pg.Pool({ connectionString: databaseUrl, max: MOST_CONNECTIONS })
  await pool.query('CREATE TABLE plain (id bigserial PRIMARY KEY, body text NOT NULL)')
  const insert = body => pool.query({ ...INSERT, values: [body] })
  const insertAndSend = async (id, at) => {
    const body = makeBody(id, at)
    await insert(body)
    await client.send(sinkUrl, body)
  }
  return {
    put: ({ first, ...load }) => closedLoop(load, id => insert(makeBody(first + id, 0))),
    prepare() {},
    drain() {},
    flow: flowOf(insertAndSend),
    async stored() {
      const { rows } = await pool.query('SELECT count(*)::int AS count FROM plain')
      return rows[0].count
    },
    async stop() {
      await client.stop()
      await pool.end()
    },
  }
}
