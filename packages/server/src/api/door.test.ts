import { expect, test } from 'vitest'
import { Door } from './door.ts'

/** How each of those who came was let in, in the order in which they were; null is without a reason against it. */
function doorWith(...names: string[]) {
  const door = new Door()
  const ends: [string, string | null][] = []
  const enter = (name: string): void => door.enter(refused => ends.push([name, refused?.code ?? null]))
  for (const name of names) enter(name)
  return { door, enter, ends }
}

test('who comes before it is open waits until it is, and enters in the order of coming', () => {
  const { door, enter, ends } = doorWith('a', 'b')
  expect([door.isOpen, ends]).toEqual([false, []])
  door.open()
  enter('c')
  expect([door.isOpen, ends]).toEqual([true, ['a', 'b', 'c'].map(name => [name, null])])
})

test('a door that is locked before it was open refuses who waits and who comes, and stays so', () => {
  const { door, enter, ends } = doorWith('a', 'b')
  door.lock()
  door.open()
  enter('c')
  expect([door.isOpen, ends]).toEqual([false, ['a', 'b', 'c'].map(name => [name, 'shutting_down'])])
})

test('a door that was open is not locked: who is in may stay, and the server lets nobody else come', () => {
  const { door, enter, ends } = doorWith()
  door.open()
  door.lock()
  enter('a')
  expect(ends).toEqual([['a', null]])
})
