import { expect, test } from 'vitest'
import { type Member, Members } from './members.ts'

/** Numbers from 0 to 1, the same ones every time. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1103515245 + 12345) % 2147483648
    return state / 2147483648
  }
}

test('whatever comes and goes, it holds what a Set would', () => {
  const random = numbers(7)
  const all = Array.from({ length: 20 }, (): Member => ({ slot: -1 }))
  const members = new Members<Member>()
  const set = new Set<Member>()
  for (let turn = 0; turn < 5000; turn++) {
    const one = all[Math.floor(random() * all.length)]!
    if (random() < 0.5) {
      members.add(one)
      set.add(one)
    } else {
      expect(members.delete(one)).toBe(set.delete(one))
    }
    if (turn % 1000 === 999) {
      members.clear()
      set.clear()
    }
    expect(members.size).toBe(set.size)
    expect(new Set(members)).toEqual(set)
    for (const other of all) expect(members.has(other)).toBe(set.has(other))
  }
})

test('a member of one is none of another', () => {
  const one: Member = { slot: -1 }
  const [here, there] = [new Members<Member>(), new Members<Member>()]
  here.add(one)
  there.add({ slot: -1 })
  expect(there.has(one)).toBe(false)
  expect(there.delete(one)).toBe(false)
  expect(here.has(one)).toBe(true)
})
