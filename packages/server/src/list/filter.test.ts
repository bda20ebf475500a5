import { type Condition, Problem } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { allOf, anyOf, Params } from './condition.ts'
import { column, compare, constant, timestamp } from './filter.ts'

const status = {
  ...column('s', 'text'),
  cases: [
    ['delivered', `o = 'd'`],
    ['dead', `o = 'x'`],
    ['expired', `o = 'e'`],
  ] as const,
}
const sql = (from: ReturnType<typeof column>, condition: Condition) => {
  const params = new Params()
  const made = compare(from, condition, params)
  return typeof made === 'string' ? params.finish(made) : made
}

test('a field with few values is filtered by its tables’ own words, or not asked for at all', () => {
  const text = (condition: Condition) => {
    const made = sql(status, condition)
    return typeof made === 'boolean' ? made : made.text
  }
  expect(text({ field: 'status', op: 'eq', value: 'dead' })).toBe(`o = 'x'`)
  expect(text({ field: 'status', op: 'neq', value: 'dead' })).toBe(`(o = 'd') OR (o = 'e')`)
  expect(text({ field: 'status', op: 'like', value: 'de%' })).toBe(`(o = 'd') OR (o = 'x')`)
  expect(text({ field: 'status', op: 'ilike', value: 'D_AD' })).toBe(`o = 'x'`)
  expect(text({ field: 'status', op: 'like', value: 'd.ad' })).toBe(false)
  expect(text({ field: 'status', op: 'nin', value: ['dead', 'expired'] })).toBe(`o = 'd'`)
  expect(text({ field: 'status', op: 'gte', value: 'a' })).toBe(true)
  expect(text({ field: 'status', op: 'eq', value: null })).toBe(false)
  expect(text({ field: 'status', op: 'neq', value: null })).toBe(true)
})

test('a column that is always null equals null and nothing else', () => {
  const nothing = constant(null, 'text')
  expect(sql(nothing, { field: 'f', op: 'eq', value: null })).toBe(true)
  for (const op of ['neq', 'gt', 'lte', 'eq'] as const) expect(sql(nothing, { field: 'f', op, value: 'a' })).toBe(false)
  expect(sql(nothing, { field: 'f', op: 'nin', value: ['a'] })).toBe(false)
  expect(sql(nothing, { field: 'f', op: 'nin', value: [] })).toBe(true)
  expect(sql(nothing, { field: 'f', op: 'in', value: ['a', null] })).toBe(true)
  expect(sql(nothing, { field: 'f', op: 'like', value: '%' })).toBe(false)
})

test('values are parameters, whatever they hold', () => {
  const evil = `'; DROP TABLE message; -- $1`
  expect(sql(column('m.key', 'text'), { field: 'key', op: 'eq', value: evil })).toEqual({
    text: 'm.key = $1::text',
    values: [evil],
  })
  expect(sql(column('m.id', 'int8'), { field: 'id', op: 'in', value: [1, 2] })).toEqual({
    text: 'm.id = ANY ($1::int8[])',
    values: [[1, 2]],
  })
})

test('parameters of what was decided are left away, and the others numbered anew', () => {
  const params = new Params()
  const dropped = anyOf([true, `a = ${params.add(1, 'int8')}`])
  const kept = allOf([dropped, `b = ${params.add(2, 'int8')}`, `c = ${params.add(3, 'int8')}`])
  expect(params.finish(String(kept))).toEqual({ text: '(b = $1::int8) AND (c = $2::int8)', values: [2, 3] })
})

test('what a field cannot be compared with is refused by the field’s name', () => {
  const refused = (from: ReturnType<typeof column>, condition: Condition) => {
    try {
      sql(from, condition)
    } catch (error) {
      return error instanceof Problem ? `${error.status} ${error.message}` : error
    }
  }
  expect(refused(column('i', 'int8'), { field: 'id', op: 'eq', value: 'a' })).toBe(
    '400 where.id.eq must be an integer of at most 2^53 - 1',
  )
  expect(refused(column('i', 'int8'), { field: 'id', op: 'in', value: [1, 2 ** 60] })).toBe(
    '400 where.id.in must be an integer of at most 2^53 - 1',
  )
  expect(refused(timestamp('t'), { field: 'when', op: 'gt', value: 'garbage' })).toBe(
    '400 where.when.gt must be a date, or a date with time',
  )
  expect(refused(column('k', 'text'), { field: 'key', op: 'eq', value: 'a\0b' })).toBe(
    '400 where.key.eq must be text without NUL',
  )
  expect(refused(column('k', 'text'), { field: 'key', op: 'like', value: 'a\\' })).toBe(
    '400 where.key.like must not end with a single backslash',
  )
  expect(refused(column('k', 'text'), { field: 'key', op: 'like', value: 'a\\\\' })).toBeUndefined()
})
