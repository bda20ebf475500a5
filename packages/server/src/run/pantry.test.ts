import { expect, test } from 'vitest'
import { headOf } from '../../test/run-room.ts'
import { Known } from './known.ts'
import { Pantry } from './pantry.ts'

const MIB = 1024 * 1024
const big = headOf(1, { body: 'x'.repeat(MIB) })

test('a message is taken in once', () => {
  const pantry = new Pantry(new Known(), MIB)
  expect(pantry.add(headOf(1))).toBe(true)
  const { bytes } = pantry
  expect(pantry.add(headOf(1))).toBe(false)
  expect(pantry.bytes).toBe(bytes)
})

test('it counts bodies and headers, and is full at its limit', () => {
  const pantry = new Pantry(new Known(), MIB)
  pantry.add(headOf(1, { body: Buffer.alloc(MIB / 2), headers: 'h'.repeat(MIB / 4) }))
  expect(pantry.bytes).toBeGreaterThan((MIB * 3) / 4)
  expect(pantry.isFull).toBe(false)
  pantry.add(headOf(2, { body: 'x'.repeat(MIB / 4) }))
  expect(pantry.isFull).toBe(true)
})

test('a message without a body still counts', () => {
  const pantry = new Pantry(new Known(), MIB)
  pantry.add(headOf(1, { body: null }))
  expect(pantry.bytes).toBeGreaterThan(100)
})

test('what goes out makes room and stays known', () => {
  const pantry = new Pantry(new Known(), MIB)
  pantry.add(big)
  pantry.started(big)
  expect(pantry.bytes).toBe(0)
  expect(pantry.known.has(big)).toBe(true)
})

test('what is dropped makes room and can be read again', () => {
  const pantry = new Pantry(new Known(), MIB)
  pantry.add(big)
  pantry.drop(big)
  expect(pantry.bytes).toBe(0)
  expect(pantry.add(big)).toBe(true)
})

test('what messages weigh is known from those that came', () => {
  const pantry = new Pantry(new Known(), MIB)
  for (let id = 0; id < 1000; id++) pantry.add(headOf(id, { body: 'x'.repeat(600) }))
  expect(pantry.meanBytes).toBeGreaterThan(600)
  expect(pantry.meanBytes).toBeLessThan(2000)
})
