/**
 * The tenancy matrix: every operation × every sort of caller, on records of one org, over REST, GraphQL and subscriptions.
 * It is generated from the contract's operations and the published schema: what is added to either is in it, or makes it fail.
 */
import { operationEntries, type Resource, resources } from '@posthorn/contract'
import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate } from '../../src/db/migrate.ts'
import { silentLog } from '../../src/log.ts'
import { type Opened, openFresh } from '../databases.ts'
import { subscribe } from '../graphql/subscribe.ts'
import { needsOf } from './graphql-acts.ts'
import { ADMIN_SECRET } from './roles.ts'
import { savedBy } from './subscription-acts.ts'
import {
  contentOf,
  makeDeadKeys,
  NOBODYS,
  openTenancy,
  type RecordIds,
  type Send,
  scopesWithout,
  type TenancyRoom,
  type Tenant,
  unknownIds,
} from './tenancy-room.ts'
import { graphqlRows, namingRows, type Outcome, type Row, restRows } from './tenancy-rows.ts'

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })
const admin = bearer(ADMIN_SECRET)
const forOrg = (name: string) => ({ 'x-posthorn-org': name })

/** Orgs themselves are the operator's, whichever org a request is for. */
const isOperators = ({ needs }: Row): boolean =>
  Object.values<Resource>(resources).some(({ name, grants }) => !grants.keys && needs[0]!.startsWith(`${name}:`))

// The statements are the same on both databases, each with suites of its own: here one of them is enough.
describe('the tenancy matrix', () => {
  let opened: Opened
  let room: TenancyRoom
  let other: Tenant
  let otherKey: string
  let dead: { expired: string; revoked: string }
  let schema: GraphQLSchema
  beforeAll(async () => {
    opened = await openFresh('embedded')
    await migrate(opened.db, silentLog)
    room = await openTenancy(opened.db)
    other = await room.makeTenant()
    otherKey = await other.keyWith(['*'])
    dead = await makeDeadKeys(room, await room.makeTenant())
    const { json } = await room.send('POST', '/graphql', { query: getIntrospectionQuery() }, admin)
    schema = buildClientSchema(json.data)
  })
  afterAll(async () => {
    await room?.close()
    await opened?.remove()
  })

  /** Those who are let, each on an org of its own, for it may be deleted. */
  async function seeReached(row: Row): Promise<void> {
    const { send, sendFree } = room
    const callers: readonly [string, Send, (mine: Tenant) => Promise<object>][] = [
      ['the admin on its behalf', send, async mine => ({ ...admin, ...forOrg(mine.name) })],
      ['the open loopback on its behalf', sendFree, async mine => forOrg(mine.name)],
      ['its own key', send, async mine => bearer(await mine.keyWith(['*']))],
      ['its own key on an open server', sendFree, async mine => bearer(await mine.keyWith(row.needs))],
      [
        'its own key that names it',
        send,
        async mine => ({ ...bearer(await mine.keyWith(['*'])), ...forOrg(mine.name) }),
      ],
    ]
    for (const [name, way, headersFor] of callers) {
      if (isOperators(row) && name.includes('key')) continue
      const mine = await room.makeTenant()
      const { verdict, text } = await row.attempt(way, mine.ids, (await headersFor(mine)) as Record<string, string>)
      expect(verdict, `${row.name} by ${name}: ${text}`).toBe('reached')
    }
  }

  /** Those who are not, and nothing is changed. To callers of other orgs, it is as if the records were not there. */
  async function seeRefused(row: Row): Promise<void> {
    const mine = await room.makeTenant()
    const lacking = isOperators(row) ? ['*' as const] : scopesWithout(row.needs)
    const callers: readonly [string, Send, object, Outcome['verdict'] | 'nothing of it'][] = [
      ['its own key without the scope', room.send, bearer(await mine.keyWith(lacking)), 'scope_missing'],
      ["another org's key", room.send, bearer(otherKey), isOperators(row) ? 'scope_missing' : 'nothing of it'],
      ["another org's key that names it", room.send, { ...bearer(otherKey), ...forOrg(mine.name) }, 'missing'],
      ['nobody', room.send, {}, 'unauthorized'],
      ['nobody who names it', room.send, forOrg(mine.name), 'unauthorized'],
      ['an expired key', room.send, bearer(dead.expired), 'unauthorized'],
      ['a revoked key', room.send, bearer(dead.revoked), 'unauthorized'],
      ['a made up key', room.send, bearer(`phk_${'a'.repeat(43)}`), 'unauthorized'],
      ['a revoked key on an open server', room.sendFree, bearer(dead.revoked), 'unauthorized'],
      ['the admin for another org', room.send, { ...admin, ...forOrg(other.name) }, 'nothing of it'],
      ['the admin for none', room.send, admin, 'nothing of it'],
    ]
    const before = await contentOf(room.db, mine.ids.org)
    for (const [name, way, headers, expected] of callers) {
      if (isOperators(row) && name.startsWith('the admin')) continue
      const attempt = (ids: RecordIds) => row.attempt(way, ids, headers as Record<string, string>)
      const answer = await attempt(mine.ids)
      const label = `${row.name} by ${name}: ${answer.text}`
      if (expected === 'nothing of it') expectNothingOf(mine.ids, answer, await attempt(unknownIds), label)
      else expect(answer.verdict, label).toBe(expected)
    }
    expect(await contentOf(room.db, mine.ids.org), row.name).toBe(before)
  }

  describe('over REST', () => {
    test.each(restRows())('$name reaches whom it may', async row => seeReached(row))
    test.each(restRows())('$name is refused to all others', async row => seeRefused(row))
  })

  test('over GraphQL, every field reaches whom it may', async () => {
    for (const row of graphqlRows(schema)) await seeReached(row)
  })

  test('over GraphQL, every field is refused to all others', async () => {
    for (const row of graphqlRows(schema)) await seeRefused(row)
  })

  test('over subscriptions, every field tells whom it may, and nobody else', async () => {
    for (const field of Object.keys(schema.getSubscriptionType()!.getFields())) await seeTold(field)
  })

  async function seeTold(field: string): Promise<void> {
    const mine = await room.makeTenant()
    const [, name, act] = /^([a-z]+)(Saved|Deleted)$/.exec(field)!
    const needs = needsOf(field)!
    const query = `subscription { ${field} { id } }`
    const listen = (headers: object, url = room.url) => subscribe(url, query, { headers: headers as never })
    const ofOperator = name === 'org'
    const told = [
      await listen({ ...admin, ...forOrg(mine.name) }),
      await listen(forOrg(mine.name), room.freeUrl),
      ...(ofOperator ? [] : [await listen(bearer(await mine.keyWith(['*'])))]),
    ]
    const silent = [
      await listen(bearer(otherKey)),
      await listen({ ...admin, ...forOrg(other.name) }),
      await listen(admin),
      await listen({}),
      await listen(bearer(dead.expired)),
      await listen(bearer(dead.revoked)),
      await listen(bearer(await mine.keyWith(ofOperator ? ['*'] : scopesWithout(needs)))),
    ]
    const headers = { ...admin, ...forOrg(mine.name) }
    const path = `/${name}s/${mine.ids[name as keyof RecordIds]}`
    const { status } =
      act === 'Deleted'
        ? await room.send('DELETE', path, undefined, headers)
        : await room.send(...savedBy(name!, path), headers)
    expect(status, field).toBe(200)
    for (const listener of told) await listener.until(1)
    expect(
      silent.map(({ heard }) => heard.filter(one => !Array.isArray(one))),
      field,
    ).toEqual(silent.map(() => []))
    for (const listener of [...told, ...silent]) await listener.stop()
  }

  test.each(namingRows())('$name tells no org that is not its caller’s from one that is not there', async row => {
    const mine = await room.makeTenant()
    const before = await contentOf(room.db, mine.ids.org)
    const attempt = (orgName: string, headers: Record<string, string>) =>
      row.attemptFor(orgName, room.send, other.ids, headers)
    for (const headers of [bearer(otherKey), { ...admin, ...forOrg(other.name) }]) {
      const known = await attempt(mine.name, headers)
      expect(known.text).toContain(mine.name)
      expect(known.verdict).toBe('missing')
      expect(known.text.replaceAll(mine.name, 'nobody-has-it')).toBe((await attempt('nobody-has-it', headers)).text)
      expect((await attempt(other.name, headers)).verdict).toBe('reached')
    }
    expect(await contentOf(room.db, mine.ids.org)).toBe(before)
  })

  test('a subscription ends with the key that it came by', async () => {
    const mine = await room.makeTenant()
    const key = await mine.keyWith(['*'])
    const listener = await subscribe(room.url, 'subscription { queueSaved { id } }', { headers: bearer(key) })
    const headers = { ...admin, ...forOrg(mine.name) }
    const change = () => room.send('PUT', `/queues/${mine.ids.queue}`, {}, headers)
    await change()
    await listener.until(1)
    const { json } = await room.send('GET', '/keys/?limit=100', undefined, headers)
    const { id } = json.find(({ prefix }: { prefix: string }) => key.startsWith(prefix))
    await room.send('DELETE', `/keys/${id}`, undefined, headers)
    await change()
    expect(await listener.ended).toBe('complete')
    expect(listener.heard).toHaveLength(1)
    await listener.stop()
  })

  test('the records of a deleted org are gone for everybody, at once', async () => {
    const mine = await room.makeTenant()
    const key = bearer(await mine.keyWith(['*']))
    expect((await room.send('GET', '/queues/', undefined, key)).status).toBe(200)
    await room.send('DELETE', `/orgs/${mine.ids.org}`, undefined, admin)
    expect((await room.send('GET', '/queues/', undefined, key)).status).toBe(401)
    const onBehalf = await room.send('GET', '/queues/', undefined, { ...admin, ...forOrg(mine.name) })
    expect(onBehalf).toMatchObject({ status: 404, json: { message: `Org ${mine.name} not found` } })
    for (const headers of [admin, bearer(otherKey)])
      expect((await room.send('GET', `/queues/${mine.ids.queue}`, undefined, headers)).status).toBe(404)
  })
})

/** The very answer that a record gets which is not there; and no id of theirs, but for those that were asked for. */
function expectNothingOf(ids: RecordIds, answer: Outcome, unknown: Outcome, label: string): void {
  const known = new RegExp(`\\b(${Object.values(ids).join('|')})\\b`, 'g')
  const told = (text: string): string => maskChance(text)
  const asIfUnknown = told(answer.text.replace(known, `${NOBODYS}`))
  expect(asIfUnknown, label).toBe(told(unknown.text))
}

/** What differs from call to call: ids and times of what the caller made in its own org. */
function maskChance(text: string): string {
  return text
    .replaceAll(`${NOBODYS}`, 'NOBODYS')
    .replace(/\b[5-9]\d{5}\b/g, 'ID')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/phk_\w+/g, 'KEY')
    .replace(/msg_[0-9a-f]{32}/g, 'MSG')
}

test('the matrix has every operation', () => {
  const names = restRows().map(({ name }) => name)
  for (const [name, { verb, path }] of operationEntries) expect(names).toContain(`${name} ${verb} ${path}`)
})
