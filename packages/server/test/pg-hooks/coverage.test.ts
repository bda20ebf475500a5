/**
 * Which test covers what of the reference. The page is written from the laws and from the names of other tests, which may
 * claim an item at their end: `test('… [pg-hooks: leader.takeover]'`. To write it anew: `node scripts/docs.mjs`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type Item, items, notYet } from './items.ts'
import { suites } from './suites.ts'

const PACKAGE = new URL('../../', import.meta.url)
const PAGE = '../../../../docs/reference/pg-hooks-coverage.md'
const HERE = 'test/pg-hooks/'

interface Claim {
  readonly id: string
  readonly test: string
}

const inSuites: Claim[] = suites.flatMap(({ title, laws }) =>
  laws.flatMap(({ name, covers }) => covers.map(id => ({ id, test: `${title}: ${name}` }))),
)

function claimsElsewhere(): Claim[] {
  const files = ['src', 'test'].flatMap(folder =>
    readdirSync(new URL(folder, PACKAGE), { recursive: true, encoding: 'utf8' }).map(path => `${folder}/${path}`),
  )
  return files
    .filter(path => path.endsWith('.test.ts') && !path.startsWith(HERE))
    .sort()
    .flatMap(path => {
      const text = readFileSync(new URL(path, PACKAGE), 'utf8')
      const found = text.matchAll(/'([^'\n]+?) \[pg-hooks: ([\w., -]+)\]'/g)
      return [...found].flatMap(([, name, ids]) =>
        ids!.split(', ').map(id => ({ id, test: `${path.replace('.test.ts', '')}: ${name}` })),
      )
    })
}

const claims = [...inSuites, ...claimsElsewhere()]
const known = new Set(items.map(({ id }) => id))

test('every claim is to an item of the reference, and no item is listed twice', () => {
  expect(claims.map(({ id }) => id).filter(id => !known.has(id))).toEqual([])
  expect(Object.keys(notYet).filter(id => !known.has(id))).toEqual([])
  expect(known.size).toBe(items.length)
})

test('every item of the reference is covered by a test, or it is said why not yet', () => {
  const covered = new Set(claims.map(({ id }) => id))
  expect(items.map(({ id }) => id).filter(id => !covered.has(id) && !(id in notYet))).toEqual([])
  expect(Object.keys(notYet).filter(id => covered.has(id))).toEqual([])
})

test('the page of the docs says the same', async () => {
  await expect(page()).toMatchFileSnapshot(PAGE)
})

function page(): string {
  const rows = (of: (item: Item) => boolean): string => table(items.filter(of))
  const left = Object.keys(notYet).length
  return `<!-- Generated from packages/server/test/pg-hooks by \`node scripts/docs.mjs\`. Change it there. -->

# What users of pg-hooks have

Every route, parameter and GraphQL name of @platformatic/pg-hooks 0.4.3, and every behaviour it was seen to have, with the
tests that show it here. The tests of \`packages/server/test/pg-hooks\` run over HTTP on three installations: the embedded database,
PostgreSQL with one node, and PostgreSQL with two nodes that are called in turn. ${items.length} items, of which ${left} are still to come.

## Behaviour

What is odd and may be relied on is marked as a quirk, what was wrong as a bug: a quirk is kept unless the table says
otherwise, and the test of a bug shows that it is not here.

${rows(({ kind }) => kind !== 'route' && kind !== 'graphql')}
## Routes and their parameters

\`where.name\` stands for all operators of that field.

${rows(({ kind }) => kind === 'route')}
## GraphQL

A field of \`…WhereArguments\` stands for all its operators.

${rows(({ kind }) => kind === 'graphql')}`
}

function table(rows: readonly Item[]): string {
  const lines = rows.map(item => [describe(item), testsOf(item.id)])
  return [['item', 'tests'], ['---', '---'], ...lines].map(cells => `| ${cells.map(asCell).join(' | ')} |\n`).join('')
}

const asCell = (cell: string): string => cell.replaceAll('|', '\\|')

function describe({ id, kind, text, ours }: Item): string {
  const mark = kind === 'quirk' || kind === 'bug' ? ` *${kind}*` : ''
  return [`\`${id}\`${mark}`, text, ours && `**Here:** ${ours}`].filter(Boolean).join(' ')
}

function testsOf(id: string): string {
  const tests = [...new Set(claims.filter(claim => claim.id === id).map(claim => claim.test))]
  // Of many that do the same with other fields, two are named.
  const shown = tests.slice(0, 2).join('; ')
  if (tests.length === 0) return `not yet: ${notYet[id]}`
  return tests.length > 2 ? `${shown}; and ${tests.length - 2} more` : shown
}
