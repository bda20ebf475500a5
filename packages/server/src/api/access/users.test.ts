import { describe, expect, test } from 'vitest'
import { anonymousUser, userOfClaims, userOfHeaders } from './users.ts'

describe('the roles of a user', () => {
  test.each([
    [{ 'X-PLATFORMATIC-ROLE': 'a' }, {}, ['a']],
    [{ 'X-PLATFORMATIC-ROLE': 'a, b,' }, {}, ['a', 'b']],
    [{ 'X-PLATFORMATIC-ROLE': ['a', 'b'] }, {}, ['a', 'b']],
    [{ 'X-PLATFORMATIC-ROLE': '' }, {}, ['anonymous']],
    [{ 'X-PLATFORMATIC-ROLE': { a: 1 } }, {}, ['anonymous']],
    [{}, {}, ['anonymous']],
    [{}, { anonymousRole: 'guest' }, ['guest']],
    [{ role: 'a', 'X-PLATFORMATIC-ROLE': 'b' }, { roleKey: 'role' }, ['a']],
    [{ user: { roles: ['a'] }, role: 'b' }, { roleKey: 'role', rolePath: 'user.roles' }, ['a']],
    [{ user: null }, { rolePath: 'user.roles' }, ['anonymous']],
    [{ user: 'abc' }, { rolePath: 'user.length' }, ['anonymous']],
    [{}, { rolePath: 'constructor.name' }, ['anonymous']],
  ])('of the claims %j with %j are %j', (claims, names, roles) => {
    expect(userOfClaims(claims, names).roles).toEqual(roles)
  })

  test('are found under the namespace first, and so is all metadata', () => {
    const claims = { 'https://p.example/X-PLATFORMATIC-ROLE': 'a', 'X-PLATFORMATIC-ROLE': 'b', sub: 'me' }
    const user = userOfClaims(claims, {}, 'https://p.example/')
    expect(user.roles).toEqual(['a'])
    expect(user.metadata('sub')).toBe('me')
    expect(user.metadata('toString')).toBeUndefined()
  })

  test('are named by headers in any case, and none at all is nobody to speak for', () => {
    const user = userOfHeaders({ 'x-platformatic-role': 'a,b', 'x-platformatic-user-id': '7' }, {})
    expect(user).toMatchObject({ roles: ['a', 'b'], name: '7' })
    expect(user?.metadata('X-PLATFORMATIC-USER-ID')).toBe('7')
    expect(userOfHeaders({}, {})).toBeNull()
  })
})

test('a user has a name for the records, and an end where the claims tell one', () => {
  expect(userOfClaims({ sub: 'me', exp: 5 }, {})).toMatchObject({ name: 'me', until: 5000 })
  expect(userOfClaims({ 'X-PLATFORMATIC-USER-ID': 42 }, {})).toMatchObject({ name: '42', until: null })
  expect(userOfClaims({ 'X-PLATFORMATIC-ROLE': 'a,b' }, {}).name).toBe('a,b')
  expect(anonymousUser({}).name).toBe('anonymous')
})
