import type { AuthorizationRule, Right } from '@posthorn/contract'
import { describe, expect, test } from 'vitest'
import { readRules, rightsOf } from './rules.ts'

const rule = (role: string, given: Partial<AuthorizationRule>): AuthorizationRule => ({ role, ...given }) as never
const rightsFor = (
  roles: string[],
  rules: AuthorizationRule[],
  merge: 'first-match' | 'most-permissive' = 'first-match',
  metadata: Record<string, unknown> = {},
) => rightsOf({ rules: readRules({ rules }, true), merge }, roles, key => metadata[key])

const has = (rights: ReturnType<typeof rightsFor>, entity: string): Right[] =>
  (['find', 'save', 'delete'] as const).filter(right => rights?.of(entity, right))

describe('the rights of a role', () => {
  test('are those of its rule for the entity, and none without one', () => {
    const rights = rightsFor(['a'], [rule('a', { entity: 'queue', find: true, delete: false })])
    expect([has(rights, 'queue'), has(rights, 'message'), has(rights, 'attempt')]).toEqual([['find'], [], []])
    expect(rightsFor(['b'], [rule('a', { entity: 'queue', find: true })])).toBeNull()
    expect(rightsFor(['a'], [rule('a', { entity: 'queue', find: false })])).toBeNull()
    expect(rightsFor([], [rule('a', { entity: 'queue', find: true })])).toBeNull()
  })

  test('may be written for several entities, or for all', () => {
    const some = rightsFor(['a'], [rule('a', { entities: ['queue', 'cron'], save: true })])
    expect([has(some, 'queue'), has(some, 'cron'), has(some, 'message')]).toEqual([['save'], ['save'], []])
    const all = rightsFor(['a'], [rule('a', { entity: 'queue' }), rule('a', { entity: '*', find: true })])
    expect([has(all, 'queue'), has(all, 'cron'), has(all, 'message')]).toEqual([[], ['find'], ['find']])
  })

  test('of several roles are those of the first rule', () => {
    const rules = [rule('a', { entity: 'queue', find: true }), rule('b', { entity: 'queue', save: true, find: false })]
    expect(has(rightsFor(['b', 'a'], rules), 'queue')).toEqual(['find'])
    expect(has(rightsFor(['b'], rules), 'queue')).toEqual(['save'])
  })

  test('of several roles are added up where they are to be merged', () => {
    const rules = [
      rule('a', { entity: 'queue', find: { fields: ['id'] } }),
      rule('b', { entity: 'queue', save: true, find: true }),
    ]
    const rights = rightsFor(['a', 'b'], rules, 'most-permissive')
    expect(has(rights, 'queue')).toEqual(['find', 'save'])
    expect([...rights!.of('queue', 'find')!.fields!]).toEqual(['id'])
  })

  test('of an admin who takes another role are that role’s, however they are merged', () => {
    const rules = [rule('a', { entity: 'queue', find: true })]
    for (const merge of ['first-match', 'most-permissive'] as const) {
      expect(has(rightsFor(['platformatic-admin', 'a'], rules, merge), 'queue')).toEqual(['find'])
      expect(has(rightsFor(['platformatic-admin'], rules, merge), 'queue')).toEqual(['find', 'save', 'delete'])
    }
  })

  test('of the admin’s role are none while there is no admin', () => {
    const rules = [rule('a', { entity: 'queue', find: true })]
    const choice = { rules: readRules({ rules }, false), merge: 'first-match' } as const
    expect(rightsOf(choice, ['platformatic-admin'], () => undefined)).toBeNull()
  })

  test('compare and fill in with the metadata of the caller', () => {
    const rules = [
      rule('a', { entity: 'message', find: { checks: { queueId: 'Q' } }, defaults: { queueId: 'Q', key: 'K' } }),
    ]
    const rights = rightsFor(['a'], rules, 'first-match', { Q: '5' })
    expect(rights!.of('message', 'find')!.where).toEqual([{ field: 'queueId', op: 'eq', value: 5 }])
    expect(rights!.defaultsOf('message')).toEqual({ queueId: 5, key: undefined })
    expect(rights!.defaultsOf('queue')).toEqual({})
  })
})
