import { type Condition, message, queue } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { conditionsOf, holdsAll, type Metadata } from './checks.ts'

const metadata =
  (known: Record<string, unknown>): Metadata =>
  key =>
    known[key]

describe('checks become conditions of the caller', () => {
  test.each([
    [{ queueId: 'Q' }, { Q: 5 }, [{ field: 'queueId', op: 'eq', value: 5 }]],
    [{ queueId: { eq: 'Q' } }, { Q: '5' }, [{ field: 'queueId', op: 'eq', value: 5 }]],
    [{ queueId: 7 }, {}, [{ field: 'queueId', op: 'eq', value: 7 }]],
    [{ failed: false }, {}, [{ field: 'failed', op: 'eq', value: false }]],
    [{ queueId: { in: 'Q' } }, { Q: [1, '2'] }, [{ field: 'queueId', op: 'in', value: [1, 2] }]],
    [{ queueId: { in: 'Q' } }, { Q: '1, 2' }, [{ field: 'queueId', op: 'in', value: [1, 2] }]],
    [{ queueId: { in: [3, 4] } }, {}, [{ field: 'queueId', op: 'in', value: [3, 4] }]],
    [{ key: 'K' }, { K: 42 }, [{ field: 'key', op: 'eq', value: '42' }]],
    [
      { when: { lt: 'T' } },
      { T: '2030-01-01T02:00:00+02:00' },
      [{ field: 'when', op: 'lt', value: '2030-01-01T00:00:00.000Z' }],
    ],
    [
      { queueId: { gte: 'A', lt: 'B' }, key: 'K' },
      { A: 1, B: 9, K: 'k' },
      [
        { field: 'queueId', op: 'gte', value: 1 },
        { field: 'queueId', op: 'lt', value: 9 },
        { field: 'key', op: 'eq', value: 'k' },
      ],
    ],
  ])('%j with %j', (checks, known, conditions) => {
    expect(conditionsOf(checks as never, message, metadata(known))).toEqual(conditions)
  })

  test.each([
    [{ queueId: 'Q' }, {}],
    [{ queueId: 'Q' }, { Q: null }],
    [{ queueId: 'Q' }, { Q: 'x' }],
    [{ queueId: 'Q' }, { Q: 1.5 }],
    [{ queueId: 'Q' }, { Q: [1] }],
    [{ queueId: { neq: 'Q' } }, {}],
    [{ queueId: { in: 'Q' } }, { Q: [] }],
    [{ queueId: { in: 'Q' } }, { Q: [1, 'x'] }],
    [{ queueId: { nin: 'Q' } }, { Q: [1, null] }],
    [{ queueId: { nin: 'Q' } }, {}],
    [{ key: 'K' }, { K: { a: 1 } }],
    [{ key: 'K' }, { K: true }],
    [{ key: 'K' }, { K: 'a\0' }],
    [{ when: { gt: 'T' } }, { T: 'soon' }],
  ])('%j is met by no record where the metadata is %j', (checks, known) => {
    const conditions = conditionsOf(checks as never, message, metadata(known))
    expect(conditions).toMatchObject([{ op: 'in', value: [] }])
    expect(holdsAll(message, { queueId: 1, key: 'a', when: '2030-01-01' }, conditions)).toBe(false)
  })
})

describe('a record at hand', () => {
  const row = { id: 3, queueId: 5, key: null, when: '2030-01-01T00:00:00.000Z', failed: false }
  test.each<[Condition[], boolean]>([
    [[], true],
    [[{ field: 'queueId', op: 'eq', value: 5 }], true],
    [[{ field: 'queueId', op: 'eq', value: 6 }], false],
    [[{ field: 'queueId', op: 'neq', value: 6 }], true],
    [[{ field: 'queueId', op: 'in', value: [4, 5] }], true],
    [[{ field: 'queueId', op: 'nin', value: [4, 5] }], false],
    [[{ field: 'queueId', op: 'gt', value: 5 }], false],
    [[{ field: 'queueId', op: 'gte', value: 5 }], true],
    [[{ field: 'queueId', op: 'lt', value: 6 }], true],
    [[{ field: 'queueId', op: 'lte', value: 4 }], false],
    [[{ field: 'when', op: 'eq', value: '2030-01-01T00:00:00.000Z' }], true],
    [[{ field: 'when', op: 'gt', value: '2029-12-31T23:59:59.999Z' }], true],
    [[{ field: 'failed', op: 'eq', value: false }], true],
    // Null is equal to nothing, and unequal to nothing.
    [[{ field: 'key', op: 'eq', value: 'a' }], false],
    [[{ field: 'key', op: 'neq', value: 'a' }], false],
    [[{ field: 'key', op: 'nin', value: ['a'] }], false],
    [[{ field: 'priority', op: 'lt', value: 9 }], false],
    [
      [
        { field: 'queueId', op: 'eq', value: 5 },
        { field: 'id', op: 'eq', value: 4 },
      ],
      false,
    ],
  ])('%j: %s', (conditions, holds) => {
    expect(holdsAll(message, row, conditions)).toBe(holds)
  })

  test('compares times however they are written', () => {
    const conditions: Condition[] = [{ field: 'when', op: 'eq', value: '2030-01-01T00:00:00.000Z' }]
    expect(holdsAll(message, { when: '2030-01-01T02:00+02:00' }, conditions)).toBe(true)
    expect(holdsAll(message, { when: '2030-01-01' }, conditions)).toBe(true)
  })

  test('does not find in a prototype what it lacks', () => {
    expect(holdsAll(queue, {}, [{ field: 'name', op: 'neq', value: 'x' }])).toBe(false)
  })
})
