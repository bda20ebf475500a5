import { expect, test } from 'vitest'
import { Generations } from './generations.ts'

test('what is used stays, what is not used goes, and the bound holds', () => {
  const map = new Generations<string>(10)
  map.set(-1, 'used')
  for (let i = 0; i < 1000; i++) {
    map.set(i, `${i}`)
    expect(map.get(-1)).toBe('used')
  }
  expect(map.get(0)).toBeUndefined()
  expect(map.get(999)).toBe('999')
  const kept = Array.from({ length: 1000 }, (_, i) => i).filter(i => map.get(i) !== undefined)
  expect(kept.length).toBeLessThanOrEqual(10)
})

test('a deleted entry does not come back from the older half', () => {
  const map = new Generations<string>(4)
  for (let i = 0; i < 3; i++) map.set(i, `${i}`)
  map.delete(0)
  expect(map.get(0)).toBeUndefined()
  map.set(1, 'new')
  map.delete(1)
  expect(map.get(1)).toBeUndefined()
})
