import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

test('whoever comes, leaves and stays in front, turns are taken in the order of the line', () => {
  const step = fc.tuple(fc.constantFrom('add', 'first', 'leave', 'next'), fc.nat({ max: 6 }))
  fc.assert(
    fc.property(fc.array(step, { size: 'max', maxLength: 60 }), steps => {
      const turns = new Turns<number>()
      let line: number[] = []
      for (const [kind, one] of steps) {
        if (kind === 'next') {
          expect(turns.next()).toBe(line.shift() ?? null)
        } else if (kind === 'leave') {
          expect(turns.leave(one)).toBe(line.includes(one))
          line = line.filter(other => other !== one)
        } else if (kind === 'first') {
          turns.addFirst(one)
          if (!line.includes(one)) line.unshift(one)
        } else {
          turns.add(one)
          if (!line.includes(one)) line.push(one)
        }
        expect(turns.size).toBe(line.length)
      }
      while (line.length > 0) expect(turns.next()).toBe(line.shift())
      expect(turns.next()).toBeNull()
    }),
  )
})
