import type { Condition, ListQuery, Message, Order, Scalar } from '@posthorn/contract'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan, openRoom, type Room, settle } from '../../test/queue-room.ts'
import type { Caller } from '../tenant/caller.ts'

const FIELDS = [
  'id',
  'queueId',
  'when',
  'failed',
  'sentAt',
  'retries',
  'status',
  'priority',
  'key',
  'attempts',
] as const
type FieldName = (typeof FIELDS)[number]

/** What a list should give, said in the plainest way: the whole, filtered, sorted, cut. */
function expected(all: readonly Message[], query: ListQuery): number[] {
  const order: Order[] = [...query.orderBy, { field: 'id', direction: 'asc' }]
  const place = (query.startAfter ?? query.endBefore) as Record<string, Scalar> | null
  const found = all
    .filter(row => query.where.every(one => holds(row, one)))
    .filter(row => query.anyOf.length === 0 || query.anyOf.some(one => holds(row, one)))
    .toSorted((a, b) => byOrder(order, a, b))
    .filter(row => !place || Math.sign(byOrder(order, row, place)) === (query.startAfter ? 1 : -1))
  if (query.endBefore) found.reverse()
  const page = found.slice(query.offset, query.offset + query.limit).map(row => row.id)
  return query.endBefore ? page.reverse() : page
}

function byOrder(order: readonly Order[], a: object, b: object): number {
  for (const { field, direction } of order) {
    const [x, y] = [a, b].map(row => (row as Record<string, Scalar>)[field]!) as [Scalar, Scalar]
    if (x === y) continue
    const up = x === null ? 1 : y === null ? -1 : x < y ? -1 : 1
    return direction === 'asc' ? up : -up
  }
  return 0
}

function holds(row: Message, condition: Condition): boolean {
  const actual = row[condition.field as FieldName]
  switch (condition.op) {
    case 'in':
      return condition.value.includes(actual)
    case 'nin':
      return actual === null ? condition.value.length === 0 : !condition.value.includes(actual)
    case 'like':
    case 'ilike':
      return actual !== null && String(actual).includes(condition.value.slice(1, -1))
    default: {
      const { op, value } = condition
      if (value === null) return op === 'eq' ? actual === null : op === 'neq' && actual !== null
      if (actual === null) return false
      if (op === 'eq') return actual === value
      if (op === 'neq') return actual !== value
      if (op === 'gt' || op === 'gte') return actual > value || (op === 'gte' && actual === value)
      return actual < value || (op === 'lte' && actual === value)
    }
  }
}

const direction = fc.constantFrom('asc' as const, 'desc' as const)
const orderBy = fc.uniqueArray(fc.record({ field: fc.constantFrom(...FIELDS), direction }), {
  maxLength: 3,
  selector: order => order.field,
})

function conditions(all: readonly Message[]): fc.Arbitrary<Condition> {
  return fc.constantFrom(...FIELDS).chain((field): fc.Arbitrary<Condition> => {
    const values = [...new Set(all.map(row => row[field]))]
    const value = fc.constantFrom<Scalar>(...values)
    const compared = fc.record({
      field: fc.constant(field),
      op: fc.constantFrom('eq' as const, 'neq' as const, 'gt' as const, 'gte' as const, 'lt' as const, 'lte' as const),
      value,
    })
    const listed = fc.record({
      field: fc.constant(field),
      op: fc.constantFrom('in' as const, 'nin' as const),
      value: fc.array(
        value.filter(one => one !== null),
        { maxLength: 3 },
      ),
    })
    const liked = fc.record({
      field: fc.constant(field),
      op: fc.constantFrom('like' as const, 'ilike' as const),
      value: fc.constantFrom('%1%', '%e%', '%0%'),
    })
    return fc.oneof(compared, listed, liked)
  })
}

eachDatabase('lists of messages', open => {
  let room: Room
  let caller: Caller
  let all: readonly Message[]

  beforeAll(async () => {
    await makeSpan(open())
    room = openRoom(open())
    caller = { orgId: await addOrg(open(), 'lister') }
    const other = { orgId: await addOrg(open(), 'other') }
    const queues = await Promise.all([1, 2].map(n => room.queues.create(caller, { name: `q${n}` })))
    const foreign = await room.queues.create(other, { name: 'foreign' })
    for (let i = 0; i < 48; i++) {
      const message = await room.messages.put(caller, {
        queueId: queues[i % 2]!.id,
        body: `body ${i}`,
        headers: { 'x-i': `${i}` },
        priority: i % 3,
        key: i % 5 === 0 ? `k${i % 10}` : null,
        ...(i % 7 === 0 ? { when: `2099-01-0${(i % 3) + 1}T00:00:00Z` } : {}),
      })
      if (i % 4 === 1) await settle(open(), message.id, 'd', 1 + (i % 3))
      if (i % 8 === 2) await settle(open(), message.id, 'x', 4)
      if (i % 16 === 3) await settle(open(), message.id, 'e', 0)
      if (i % 16 === 7) await room.messages.cancel(caller, { id: message.id, reason: `no ${i}` })
      await room.messages.put(other, { queueId: foreign.id, body: 'not ours' })
    }
    all = (await room.messages.list(caller, asked())).items
  })

  const list = async (query: object): Promise<number[]> =>
    (await room.messages.list(caller, asked(query))).items.map(row => row.id)

  test('without being asked for an order they come by id, live and settled ones together, and no other org’s', () => {
    expect(all).toHaveLength(48)
    expect(all.map(row => row.id)).toEqual(all.map(row => row.id).toSorted((a, b) => a - b))
    const statuses = new Set(all.map(row => row.status))
    expect(statuses).toEqual(new Set(['pending', 'delivered', 'dead', 'expired', 'cancelled']))
    expect(all.every(row => row.body !== 'not ours')).toBe(true)
  })

  test('any filter, order and page gives what filtering, sorting and cutting the whole would give', async () => {
    const condition = conditions(all)
    const query = fc.record({
      where: fc.array(condition, { maxLength: 2 }),
      anyOf: fc.array(condition, { maxLength: 2 }),
      orderBy,
      limit: fc.integer({ min: 0, max: 20 }),
      offset: fc.integer({ min: 0, max: 10 }),
      place: fc.constantFrom('startAfter' as const, 'endBefore' as const, null),
      row: fc.constantFrom(...all),
    })
    await fc.assert(
      fc.asyncProperty(query, async ({ place, row, ...rest }) => {
        const full = asked({ ...rest, ...(place && { [place]: row }) }) as unknown as ListQuery
        expect(await list(full)).toEqual(expected(all, full))
      }),
      { numRuns: 300 },
    )
  })

  test('the total counts what matches, whatever the page', async () => {
    const where = [{ field: 'status', op: 'eq', value: 'dead' }]
    const { items, totalCount } = await room.messages.list(caller, asked({ where, limit: 2, totalCount: true }))
    expect(items).toHaveLength(2)
    expect(totalCount).toBe(all.filter(row => row.status === 'dead').length)
  })

  test('bodies can be searched, and are left away where nobody asks for them', async () => {
    expect(await list({ where: [{ field: 'body', op: 'like', value: 'body 1_' }] })).toHaveLength(10)
    const { items } = await room.messages.list(caller, asked({ fields: ['id', 'status'], limit: 1 }))
    expect(items[0]).toMatchObject({ id: all[0]!.id, body: null, headers: null })
  })

  test('a settled message keeps the time it was scheduled for, and has been sent if it was tried to the end', () => {
    const delivered = all.find(row => row.status === 'delivered' && row.when.startsWith('2099'))!
    expect(delivered).toMatchObject({ failed: false, reason: null })
    expect(delivered.sentAt).toBe(delivered.updatedAt)
    const dead = all.find(row => row.status === 'dead')!
    expect(dead).toMatchObject({ failed: true, attempts: 4, retries: 3, sentAt: dead.updatedAt })
    const cancelled = all.find(row => row.status === 'cancelled')!
    expect(cancelled).toMatchObject({ failed: false, sentAt: null, reason: expect.stringMatching(/^no \d+$/) })
  })

  test('a place without a value for the order is refused', async () => {
    await expect(
      list({ startAfter: { status: 'dead' }, orderBy: [{ field: 'id', direction: 'asc' }] }),
    ).rejects.toThrow('querystring/startAfter must be a cursor from an earlier answer')
    await expect(list({ endBefore: { id: 'x' } })).rejects.toThrow('querystring/endBefore must be a cursor')
  })

  test('a field that cannot be gone by is named', async () => {
    await expect(list({ where: [{ field: 'headers', op: 'eq', value: 'a' }] })).rejects.toThrow('where.headers: there')
    await expect(list({ orderBy: [{ field: 'constructor', direction: 'asc' }] })).rejects.toThrow('orderby.constructor')
  })
})

eachDatabase('lists that take too long', (open, kind) => {
  // The embedded database has no time limit for statements: it serves one process, and small data.
  describe.skipIf(kind === 'embedded')('on PostgreSQL', () => {
    test('are stopped, and say what no index serves', async () => {
      await makeSpan(open())
      const room = openRoom(open(), { listLimitMs: 50 })
      const caller = { orgId: await addOrg(open(), 'slow') }
      const { id: queueId } = await room.queues.create(caller, { name: 'q' })
      await room.messages.put(caller, { queueId, body: 'x'.repeat(100) })
      const sleepy = `CREATE FUNCTION posthorn.slow(text) RETURNS text LANGUAGE sql AS 'SELECT $1 FROM pg_sleep(5)'`
      await open().exec(`${sleepy};
        ALTER TABLE posthorn.payload RENAME TO payload_kept;
        CREATE VIEW posthorn.payload AS SELECT id, posthorn.slow(body) AS body, bytes, headers FROM posthorn.payload_kept`)
      const where = [{ field: 'body', op: 'eq', value: 'a' }] as const
      await expect(room.messages.list(caller, asked({ where }))).rejects.toMatchObject({
        code: 'list_too_slow',
        message: expect.stringContaining('took longer than 50 ms: no index serves where.body.eq'),
      })
    })
  })
})
