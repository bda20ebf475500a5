import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Timetable } from './timetable.ts'

test('whatever is set and moved, everything is taken in the order of its last time, once', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1000 }))), moves => {
      const timetable = new Timetable<number>()
      const last = new Map<number, number>()
      for (const [key, at] of moves) {
        timetable.set(key, at)
        last.set(key, at)
      }
      const taken = timetable.take(1000)
      expect(taken.map(key => last.get(key))).toEqual([...last.values()].sort((a, b) => a - b))
      expect(timetable.next()).toBeNull()
    }),
  )
})

test('what is not due stays', () => {
  const timetable = new Timetable<string>()
  timetable.set('soon', 10)
  timetable.set('late', 20)
  expect(timetable.take(15)).toEqual(['soon'])
  expect(timetable.next()).toBe(20)
})

test('what was taken away never comes', () => {
  const timetable = new Timetable<string>()
  timetable.set('a', 10)
  timetable.set('a', null)
  expect(timetable.take(100)).toEqual([])
})

test('a key that is set again and again, however far ahead, holds bounded memory and comes once', () => {
  const timetable = new Timetable<string>()
  timetable.set('still', 1_000_000)
  for (let at = 0; at < 10_000; at++) {
    timetable.set('moving', 2_000_000)
    timetable.set('moving', at)
    expect(timetable.take(at)).toEqual(['moving'])
  }
  timetable.set('moving', 2_000_000)
  expect(timetable.size).toBeLessThan(100)
  expect(timetable.take(3_000_000)).toEqual(['still', 'moving'])
})
