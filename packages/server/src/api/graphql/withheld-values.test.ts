import { buildSchema, execute, parse, validate } from 'graphql'
import { describe, expect, test } from 'vitest'
import { withoutValues } from './withheld-values.ts'

const schema = buildSchema(`
  input Deep { name: String, secrets: [String], n: Int! }
  type Query { f(input: Deep, n: Int, s: String): Int }
`)
const SECRET = 'whsec_1; at "x"; Field "y"'
const query = 'query ($input: Deep) { f(input: $input) }'

function saidOf(document: string, variables?: object): string[] {
  try {
    const parsed = parse(document)
    const faults = validate(schema, parsed)
    if (faults.length > 0) return faults.map(({ message }) => message)
    const { errors = [] } = execute({ schema, document: parsed, variableValues: { ...variables } }) as {
      errors?: readonly Error[]
    }
    return errors.map(({ message }) => message)
  } catch (error) {
    return [(error as Error).message]
  }
}

describe('what is said of values that do not fit', () => {
  const cases: [string, object?][] = [
    [query, { input: { n: 1, secrets: [{ a: SECRET }] } }],
    [query, { input: { n: 1, secrets: [SECRET], stranger: 1 } }],
    [query, { input: { secrets: [SECRET] } }],
    [query, { input: SECRET }],
    [query, { input: { n: SECRET } }],
    [query, { input: { n: null, name: SECRET } }],
    ['{ f(n: "whsec_1") }'],
    ['{ f(s: {a: "whsec_1"}) }'],
    ['{ f(input: "whsec_1") }'],
    ['{ f(input: {n: 1, secrets: [{a: "whsec_1"}]}) }'],
    ['{ "whsec_1" }'],
    ['{ """whsec_1""" }'],
  ]
  test.each(cases)('%s %j never has the value', (document, variables) => {
    const said = saidOf(document, variables)
    expect(said.length).toBeGreaterThan(0)
    for (const message of said) expect(withoutValues(message)).not.toContain('whsec_1')
  })

  test('where it stands and what it should be is still told', () => {
    const told = (document: string, variables?: object) => saidOf(document, variables).map(withoutValues)
    expect(told(query, { input: { n: 1, secrets: [{ a: 's' }] } })).toEqual([
      'Variable "$input" got invalid value at "input.secrets[0]"; String cannot represent a non string value',
    ])
    expect(told(query, { input: { n: 1, stranger: 's' } })).toEqual([
      'Variable "$input" got invalid value; Field "stranger" is not defined by type "Deep".',
    ])
    expect(told(query, { input: {} })).toEqual([
      'Variable "$input" got invalid value; Field "n" of required type "Int!" was not provided.',
    ])
    expect(told('{ f(n: "a") }')).toEqual(['Int cannot represent non-integer value'])
    expect(told('{ f(m: 1) }')).toEqual(['Unknown argument "m" on field "Query.f". Did you mean "n" or "s"?'])
    expect(told('{ f(')).toEqual(['Syntax Error: Expected Name, found <EOF>.'])
  })
})
