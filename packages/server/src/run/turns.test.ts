import fc from 'fast-check'
import { expect, test } from 'vitest'
import { newPlace, Turns } from './turns.ts'

test('whoever comes, leaves and stays in front, turns are taken in the order of the line', () => {
  const step = fc.tuple(fc.constantFrom('add', 'first', 'leave', 'next'), fc.nat({ max: 6 }))
  fc.assert(
    fc.property(fc.array(step, { size: 'max', maxLength: 60 }), steps => {
      const turns = new Turns<number>()
      const places = Array.from({ length: 7 }, (_, one) => newPlace(one))
      let line: number[] = []
      for (const [kind, one] of steps) {
        if (kind === 'next') {
          expect(turns.next()).toBe(line.shift() ?? null)
        } else if (kind === 'leave') {
          expect(turns.leave(places[one]!)).toBe(line.includes(one))
          line = line.filter(other => other !== one)
        } else if (kind === 'first') {
          turns.addFirst(places[one]!)
          if (!line.includes(one)) line.unshift(one)
        } else {
          turns.add(places[one]!)
          if (!line.includes(one)) line.push(one)
        }
        expect(turns.size).toBe(line.length)
      }
      while (line.length > 0) expect(turns.next()).toBe(line.shift())
      expect(turns.next()).toBeNull()
    }),
  )
})

test('one that waits in another line is left where it is', () => {
  const [here, there] = [new Turns<string>(), new Turns<string>()]
  const place = newPlace('one')
  here.add(place)
  there.add(place)
  there.addFirst(place)
  expect(there.leave(place)).toBe(false)
  expect([here.size, there.size]).toEqual([1, 0])
})
