/** Every subscription of the GraphQL schema, as acts of the role matrix. Who may not hear hears nothing: silence is the refusal. */
import assert from 'node:assert/strict'
import type { GraphQLSchema } from 'graphql'
import { WebSocket } from 'ws'
import type { Served } from '../api/serve.ts'
import { needsOf } from './graphql-acts.ts'
import { seed } from './rest-acts.ts'
import { type Act, ADMIN_SECRET, type Caller } from './roles.ts'

const admin = { 'x-platformatic-admin-secret': ADMIN_SECRET }

export function subscriptionActs(served: Served, schema: GraphQLSchema): Act[] {
  return Object.keys(schema.getSubscriptionType()!.getFields()).map(field => {
    const needs = needsOf(field)
    assert.ok(needs, `${field} is in no column of the matrix: say what it needs`)
    return { name: `subscription ${field}`, needs, attempt: headers => attempt(served, field, headers) }
  })
}

/** A listener that may hear everything tells when a change has gone round; then another one is made, and waited for. */
async function attempt(served: Served, field: string, headers: Caller['headers']): Promise<'done' | 'refused'> {
  const listener = await listenTo(served, field, headers)
  const control = await listenTo(served, field, admin)
  try {
    for (const round of [1, 2]) {
      await write(served, field)
      await control.heard(round)
    }
    return listener.count() > 0 ? 'done' : 'refused'
  } finally {
    listener.close()
    control.close()
  }
}

async function write(served: Served, field: string): Promise<void> {
  seed(served.state)
  const [, name, act] = /^([a-z]+)(Saved|Deleted)$/.exec(field)!
  const [verb, path, body] = act === 'Deleted' ? ['DELETE', `/${name}s/1`, undefined] : savedBy(name!)
  const { status } = await served.call(verb, path, body, admin)
  assert.equal(status, 200)
}

export function savedBy(name: string, path = `/${name}s/1`): [verb: string, path: string, body: object | undefined] {
  // Of keys, which are never changed, one more is made.
  if (name === 'key') return ['POST', '/keys/', { name: 'a', scopes: ['*'] }]
  if (name === 'service') return ['POST', '/services/', { name: 'testmail' }]
  if (name === 'template') return ['POST', '/templates/', { name: 'a', subject: 's', text: 'x' }]
  return name === 'worker' ? ['POST', `${path}/start`, undefined] : ['PUT', path, {}]
}

interface Listener {
  count(): number
  /** Resolves when so many have come. */
  heard(times: number): Promise<void>
  close(): void
}

/** Subscribed when the server has answered to what was said after it. */
async function listenTo({ url }: Served, field: string, headers: Caller['headers']): Promise<Listener> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers })
  let count = 0
  let changed = (): void => undefined
  const said = new Map<string, () => void>()
  const hear = (type: string) => new Promise<void>(resolve => said.set(type, resolve))
  socket.on('message', data => {
    const { type } = JSON.parse(String(data)) as { type: string }
    if (type === 'next') count++
    said.get(type)?.()
    changed()
  })
  const send = (word: object): void => socket.send(JSON.stringify(word))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  send({ type: 'connection_init' })
  await hear('connection_ack')
  send({ id: '1', type: 'subscribe', payload: { query: `subscription { ${field} { id } }` } })
  send({ type: 'ping' })
  await hear('pong')
  return {
    count: () => count,
    async heard(times) {
      while (count < times) await new Promise<void>(resolve => (changed = resolve))
    },
    close: () => socket.terminate(),
  }
}
