import { attempt, emptyListQuery, message, Problem, queue, type Resource } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { serve } from '../../test/api/serve.ts'
import { encodeCursor, readListQuery } from './list-query.ts'

const read = (query: Record<string, unknown>, resource: Resource = queue) => readListQuery(resource, query)
const problemOf = (query: Record<string, unknown>, resource: Resource = queue): Problem => {
  try {
    read(query, resource)
  } catch (error) {
    if (error instanceof Problem) return error
  }
  throw new Error('nothing was refused')
}

describe('a list', () => {
  test('is ten rows by default, of everything', () => {
    expect(read({})).toEqual(emptyListQuery)
  })

  test.each([
    ['where.id.eq', '3', { field: 'id', op: 'eq', value: 3 }],
    ['where.name.like', 'a%', { field: 'name', op: 'like', value: 'a%' }],
    ['where.id.like', '1', { field: 'id', op: 'like', value: '1' }],
    ['where.id.in', '1,2', { field: 'id', op: 'in', value: [1, 2] }],
    ['where.name.nin', 'a,null', { field: 'name', op: 'nin', value: ['a', 'null'] }],
    ['where.callbackUrl.eq', 'null', { field: 'callbackUrl', op: 'eq', value: null }],
    ['where.name.eq', 'null', { field: 'name', op: 'eq', value: 'null' }],
    ['where.deadLetterQueueId.neq', 'null', { field: 'deadLetterQueueId', op: 'neq', value: null }],
    ['where.followRedirects.eq', 'true', { field: 'followRedirects', op: 'eq', value: true }],
    ['where.createdAt.gt', '2026-01-01', { field: 'createdAt', op: 'gt', value: '2026-01-01T00:00:00.000Z' }],
    [
      'where.createdAt.lt',
      '2026-01-01T00:00:00 02:00',
      { field: 'createdAt', op: 'lt', value: '2025-12-31T22:00:00.000Z' },
    ],
  ])('filters by %s=%s', (name, value, condition) => {
    expect(read({ [name]: value }).where).toEqual([condition])
  })

  test('joins filters by and, and the alternatives by or', () => {
    const query = read({ 'where.name.eq': 'a', 'where.id.gt': '2', 'where.or': '(name.eq=b=c|id.in=1,2)' })
    expect(query.where).toHaveLength(2)
    expect(query.anyOf).toEqual([
      { field: 'name', op: 'eq', value: 'b=c' },
      { field: 'id', op: 'in', value: [1, 2] },
    ])
  })

  test('ignores what names no field or operator, as pg-hooks does', () => {
    expect(read({ 'where.nothing.eq': '1', 'where.id.resembles': '1', 'orderby.nothing': 'asc', page: '3' })).toEqual(
      emptyListQuery,
    )
    expect(read({ 'where.constructor.eq': '1' })).toEqual(emptyListQuery)
  })

  test('orders by several fields, in the order given', () => {
    expect(read({ 'orderby.name': 'desc', 'orderby.id': 'asc' }).orderBy).toEqual([
      { field: 'name', direction: 'desc' },
      { field: 'id', direction: 'asc' },
    ])
  })

  test.each([
    [{ 'where.id.eq': 'x' }, 'querystring/where.id.eq must be integer'],
    [{ 'where.id.in': '1,x' }, 'querystring/where.id.in/1 must be integer'],
    [{ 'where.id.eq': 'null' }, 'querystring/where.id.eq must be integer'],
    [{ 'where.id.eq': '9'.repeat(17) }, 'querystring/where.id.eq must be integer'],
    [{ 'where.id.eq': ['1', '2'] }, 'querystring/where.id.eq must be given once'],
    [{ 'where.createdAt.gt': 'x' }, /^querystring\/where\.createdAt\.gt must be a date/],
    [{ 'where.name.eq': 'a\0' }, 'querystring/where.name.eq must be text without NUL'],
    [{ 'where.headers.eq': '{}' }, 'querystring/where.headers.eq cannot be asked for: lists do not filter by headers'],
    [{ 'where.or': 'name.eq=a' }, /^querystring\/where\.or must have the form/],
    [{ 'where.or': '(name.eq=a|nothing.eq=b)' }, /^querystring\/where\.or\/1 must have the form/],
    [{ 'orderby.id': 'up' }, 'querystring/orderby.id must be equal to one of the allowed values (asc, desc)'],
    [{ 'orderby.headers': 'asc' }, 'querystring/orderby.headers cannot be asked for: lists do not sort by headers'],
  ])('refuses %j', (query, message) => {
    const problem = problemOf(query)
    expect(problem.code).toBe('validation_failed')
    expect(problem.message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  test('cannot be filtered or sorted by a secret, nor told that there is one', () => {
    expect(read({ 'where.secrets.eq': 'x', 'orderby.secrets': 'asc' })).toEqual(emptyListQuery)
  })
})

describe('a cursor', () => {
  test('is read back as it was written', () => {
    const orderBy = [
      { field: 'when', direction: 'desc' },
      { field: 'id', direction: 'asc' },
    ] as const
    const row = { id: 7, when: '2026-01-01T00:00:00.000Z', body: 'x' }
    const query = { 'orderby.when': 'desc', 'orderby.id': 'asc', startAfter: encodeCursor(orderBy, row) }
    expect(read(query, message).startAfter).toEqual({ when: row.when, id: 7 })
  })

  test('needs the whole primary key in the order', () => {
    expect(problemOf({ cursor: true })).toMatchObject({ code: 'cursor_without_primary_key', details: { field: 'id' } })
    expect(problemOf({ startAfter: 'e30=' }).code).toBe('cursor_without_primary_key')
    const half = { cursor: true, 'orderby.messageId': 'asc' }
    expect(problemOf(half, attempt)).toMatchObject({ details: { field: 'n' } })
  })

  test.each(['!', 'bm90IGpzb24=', 'e30=', 'bnVsbA==', 'eyJpZCI6IngifQ==', 'eyJpZCI6bnVsbH0='])(
    '%s is refused',
    text => {
      expect(problemOf({ 'orderby.id': 'asc', endBefore: text })).toMatchObject({
        code: 'cursor_invalid',
        details: { field: 'endBefore' },
      })
    },
  )

  test('goes in one direction at a time', () => {
    const place = Buffer.from('{"id":1}').toString('base64')
    expect(problemOf({ 'orderby.id': 'asc', startAfter: place, endBefore: place }).message).toMatch(
      /together with startAfter/,
    )
  })
})

describe('over HTTP', () => {
  test.each([
    ['limit=101', 'querystring/limit must be <= 100'],
    ['limit=-1', 'querystring/limit must be >= 0'],
    ['offset=-1', 'querystring/offset must be >= 0'],
    ['limit=x', 'querystring/limit must be integer'],
    ['totalCount=maybe', 'querystring/totalCount must be boolean'],
  ])('%s is refused with its bound', async (query, message) => {
    const { call } = await serve()
    expect((await call('GET', `/queues/?${query}`)).json).toMatchObject({ statusCode: 400, message })
  })

  test('a page tells how many there are and where it begins and ends', async () => {
    const { call } = await serve()
    for (const name of ['a', 'b', 'c']) await call('POST', '/queues/', { name })
    const page = await call('GET', '/queues/?limit=2&offset=1&totalCount=true&cursor=true&orderby.id=asc&fields=name')
    expect(page.json).toEqual([{ name: 'b' }, { name: 'c' }])
    expect(page.headers.get('x-total-count')).toBe('3')
    expect(atob(page.headers.get('x-start-after')!)).toBe('{"id":3}')
    expect(atob(page.headers.get('x-end-before')!)).toBe('{"id":2}')
    const empty = await call('GET', '/queues/?limit=0&cursor=true&orderby.id=asc')
    expect(empty.json).toEqual([])
    expect(empty.headers.get('x-start-after')).toBeNull()
    expect(empty.headers.get('x-total-count')).toBeNull()
  })
})
