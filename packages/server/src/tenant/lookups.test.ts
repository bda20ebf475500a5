import { expect, test } from 'vitest'
import { HandClock } from '../../test/run-room.ts'
import { Lookups } from './lookups.ts'

function open(rows: Map<string, { name: string }>) {
  const clock = new HandClock()
  const asked: (readonly string[])[] = []
  const lookups = new Lookups<{ name: string }>({
    clock,
    async load(names) {
      asked.push(names)
      return new Map(names.flatMap(name => (rows.has(name) ? [[name, rows.get(name)!] as const] : [])))
    },
  })
  return { clock, asked, lookups }
}

test('what was asked for is not asked for again, and what was changed is', async () => {
  const { asked, lookups } = open(new Map(['a', 'b'].map(name => [name, { name }])))
  for (const name of ['a', 'b', 'a', 'b']) expect(await lookups.find(name)).toEqual({ name })
  lookups.forget(({ name }) => name === 'a')
  for (const name of ['a', 'b']) expect(await lookups.find(name)).toEqual({ name })
  expect(asked).toEqual([['a'], ['b'], ['a']])
})

test('a change that nobody hears of shows after ten minutes', async () => {
  const rows = new Map([['a', { name: 'a' }]])
  const { clock, lookups } = open(rows)
  expect(await lookups.find('a')).toEqual({ name: 'a' })
  rows.delete('a')
  await clock.pass(599_999)
  expect(await lookups.find('a')).toEqual({ name: 'a' })
  await clock.pass(1)
  expect(await lookups.find('a')).toBeNull()
})
