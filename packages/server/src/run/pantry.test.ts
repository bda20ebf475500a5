import { expect, test } from 'vitest'
import { headOf } from '../../test/run-room.ts'
import type { Head } from '../engine/port.ts'
import { Known } from './known.ts'
import { Pantry } from './pantry.ts'
import { defaultLimits } from './port.ts'

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

/** Queues that send some and read ahead as much as they may, in turn; how many wait in each after a while. */
function readAhead(pantry: Pantry, queues: number, turns: number): number[] {
  const waiting = Array.from({ length: queues }, (): Head[] => [])
  let id = 0
  for (let turn = 0; turn < turns; turn++)
    for (const queue of waiting) {
      for (const head of queue.splice(0, 30)) pantry.started(head)
      for (; queue.length < Math.min(pantry.share, 2000); id++) {
        const head = headOf(id, { body: BODY })
        pantry.add(head)
        queue.push(head)
      }
    }
  return waiting.map(({ length }) => length)
}

const BODY = 'x'.repeat(500)
/** As a node has it. */
const USUAL = defaultLimits.bufferBytes

test('a queue alone reads ahead as much as it can use', () => {
  expect(readAhead(new Pantry(new Known(), USUAL), 1, 100)).toEqual([2000])
})

test('many queues read ahead together no more than a few can use, and one that comes later gets its share', () => {
  const pantry = new Pantry(new Known(), USUAL)
  const waiting = readAhead(pantry, 20, 300)
  expect(pantry.bytes).toBeLessThanOrEqual(USUAL / 8)
  expect(Math.min(...waiting)).toBeGreaterThan(300)
  expect(pantry.share).toBeGreaterThan(300)
})

test('however many there are, each may read a few ahead', () => {
  const pantry = new Pantry(new Known(), USUAL)
  expect(Math.min(...readAhead(pantry, 2000, 5))).toBe(16)
  expect(pantry.isFull).toBe(false)
})
