import { expect, test } from 'vitest'
import { headOf, openPantry } from '../../test/run-room.ts'
import { UNSURE } from './backlog.ts'
import { Line } from './line.ts'

const NOW = 100
/** Every transaction has ended. */
const ALL = 1e9

function open(most = 10, limitBytes = 1e9) {
  const pantry = openPantry(limitBytes)
  return { pantry, line: new Line(pantry, most) }
}

const idsOf = (line: Line) => line.heads.map(({ id }) => id)

/** A look, and then all that may be pinned. */
function pin(line: Line): number[] {
  line.beginLook()
  return line.beginPin(headOf(1e6)).map(({ id }) => id)
}

/** What a load from the line's cursor brings. */
function load(line: Line, ...ids: number[]): void {
  line.cursor.begin()
  line.loaded(
    ids.map(id => headOf(id)),
    false,
  )
}

test('one message at a time: the next is given out when the one before is settled', () => {
  const { line } = open()
  load(line, 1, 2)
  expect(line.front(NOW, ALL)).toMatchObject({ id: 1 })
  const first = line.takeFront()
  expect(line.front(NOW, ALL)).toBeNull()
  line.settled(first, null)
  expect(line.front(NOW, ALL)).toMatchObject({ id: 2 })
})

test('the settling of another message does not free the line', () => {
  const { line } = open()
  load(line, 1, 2)
  line.takeFront()
  line.settled(headOf(77), null)
  expect(line.front(NOW, ALL)).toBeNull()
})

test('the place of a message is not fixed while an older transaction runs, or its own', () => {
  const { line } = open()
  load(line, 5)
  expect(line.front(NOW, 5)).toBe(UNSURE)
  expect(line.isUnsure(5)).toBe(true)
  expect(line.front(NOW, 6)).toMatchObject({ id: 5 })
  expect(line.isUnsure(6)).toBe(false)
})

test('while its place is being fixed the line stands still, and then it goes', () => {
  const { line } = open()
  load(line, 5)
  expect(pin(line)).toEqual([5])
  expect(line.front(NOW, ALL)).toBeNull()
  expect(line.isUnsure(5)).toBe(false)
  line.endPin(new Set([5]))
  expect(line.front(NOW, 5)).toMatchObject({ id: 5 })
})

test('all that were in memory before the look began are fixed together, and go one after another', () => {
  const { line } = open()
  load(line, 5, 6, 7)
  expect(pin(line)).toEqual([5, 6, 7])
  line.endPin(new Set([7, 6, 5]))
  for (const id of [5, 6, 7]) {
    expect(line.front(NOW, 5)).toMatchObject({ id })
    line.settled(line.takeFront(), null)
  }
})

test('what came after the look began is not fixed: something acknowledged before it may still be to be found', () => {
  const { line } = open()
  load(line, 5)
  line.beginLook()
  line.offer(headOf(6))
  expect(line.beginPin(headOf(1e6)).map(({ id }) => id)).toEqual([5])
})

test('of what was emptied and read again since the look began nothing is fixed', () => {
  const { line } = open()
  load(line, 5, 6)
  line.beginLook()
  line.offer(headOf(4))
  load(line, 4, 5, 6)
  expect(line.beginPin(headOf(1e6))).toEqual([])
  expect(line.isUnsure(4)).toBe(true)
})

test('nothing beyond the place up to which all is read is fixed', () => {
  const { line } = open()
  load(line, 5, 6, 7)
  line.beginLook()
  expect(line.beginPin(headOf(6)).map(({ id }) => id)).toEqual([5, 6])
})

test('if one of them could not be fixed, the table says what is', () => {
  const { line } = open()
  load(line, 5, 6)
  pin(line)
  line.endPin(new Set([5]))
  expect(line.front(NOW, ALL)).toBeNull()
  expect(line.wantsPinned(NOW)).toBe(true)
})

test.each([
  ['in doubt', null],
  ['not fixed', new Set<number>()],
])('a place %s is looked up in the table before anything goes', (_how, pinned) => {
  const { line } = open()
  load(line, 5)
  pin(line)
  line.endPin(pinned)
  expect(line.front(NOW, ALL)).toBeNull()
  expect(line.wantsPinned(NOW)).toBe(true)
})

test('a place that was fixed while the line was emptied is looked up in the table', () => {
  const { line } = open()
  load(line, 5)
  pin(line)
  line.drop(5)
  load(line, 3)
  line.endPin(new Set([5]))
  expect(line.front(NOW, ALL)).toBeNull()
  expect(line.pinned).toBe(true)
})

test('pinned messages go before all others, in the order of their pins', () => {
  const { pantry, line } = open()
  load(line, 1, 2)
  line.pinned = true
  expect(line.front(NOW, ALL)).toBeNull()
  line.loadPinned(1, () => true).done([headOf(9, { pin: 1 }), headOf(8, { pin: 2 })])
  expect(idsOf(line)).toEqual([9, 8])
  expect(pantry.known.has(headOf(1))).toBe(false)
  expect(line.cursor.behind).toBe(true)
  load(line, 1, 2, 8, 9)
  expect(idsOf(line)).toEqual([9, 8, 1, 2])
})

test('pinned messages are not asked for while one is out, or waits for its retry', () => {
  const { line } = open()
  load(line, 1)
  const first = line.takeFront()
  line.pinned = true
  expect(line.wantsPinned(NOW)).toBe(false)
  line.settled(first, NOW + 10)
  expect(line.wantsPinned(NOW)).toBe(false)
  expect(line.wantsPinned(NOW + 10)).toBe(true)
})

test('a late arrival before what waits is read before it goes', () => {
  const { line, pantry } = open()
  load(line, 5, 6)
  line.offer(headOf(4))
  expect(line.front(NOW, ALL)).toBeNull()
  expect(pantry.bytes).toBe(0)
  load(line, 4, 5, 6)
  expect(idsOf(line)).toEqual([4, 5, 6])
})

test('a late arrival that a sweep found inside of what waits is read before that goes', () => {
  const { line } = open()
  load(line, 5, 9)
  line.lookAgain({ xid: 6, id: 0 })
  expect(idsOf(line)).toEqual([])
  expect(line.cursor.begin()).toEqual({ xid: 5, id: 4 })
})

test('a late arrival after everything in memory leaves it there', () => {
  const { line } = open()
  load(line, 5)
  line.lookAgain({ xid: 7, id: 0 })
  expect(idsOf(line)).toEqual([5])
  expect(line.cursor.behind).toBe(true)
})

test('what a load brings behind something that turned up meanwhile waits for that', () => {
  const { line } = open()
  line.cursor.begin()
  line.lookAgain({ xid: 3, id: 0 })
  line.loaded([headOf(2), headOf(4)], false)
  expect(idsOf(line)).toEqual([2])
})

test('a load that brings something before what is already there starts over', () => {
  const { line, pantry } = open()
  line.offer(headOf(5))
  load(line, 3, 5)
  expect(idsOf(line)).toEqual([])
  expect(pantry.bytes).toBe(0)
  expect(line.cursor.begin()).toEqual({ xid: 3, id: 2 })
})

test('an unfixed place before a pinned one is no reason to start over', () => {
  const { line } = open()
  line.loadPinned(1, () => true).done([headOf(9, { pin: 1 })])
  load(line, 3, 9)
  expect(idsOf(line)).toEqual([9, 3])
})

test('a retried message keeps its place and is read again when its time comes', () => {
  const { line } = open()
  load(line, 1, 2)
  line.settled(line.takeFront(), NOW + 50)
  expect(idsOf(line)).toEqual([])
  expect(line.wantsLoad(NOW + 49, 10)).toBe(false)
  expect(line.wantsLoad(NOW + 50, 10)).toBe(true)
  expect(line.cursor.begin()).toEqual({ xid: 1, id: 0 })
})

test('a message that is read before its retry is due holds the line until then', () => {
  const { line } = open()
  line.cursor.begin()
  line.loaded([headOf(1, { attempts: 1, retryAt: NOW + 50 }), headOf(2)], false)
  expect(line.front(NOW, ALL)).toBeNull()
  expect(line.notBefore).toBe(NOW + 50)
  expect(line.front(NOW + 50, ALL)).toMatchObject({ id: 1 })
})

test('a pinned message that is retried is looked for among the pinned, before all others', () => {
  const { line } = open()
  line.loadPinned(1, () => true).done([headOf(9, { pin: 1 })])
  line.settled(line.takeFront(), NOW + 50)
  expect(line.pinned).toBe(true)
  expect(line.wantsLoad(NOW + 50, 10)).toBe(false)
  expect(line.wantsPinned(NOW + 50)).toBe(true)
})

test('pinned messages that are put out of memory are looked for among the pinned', () => {
  const { line } = open()
  line.loadPinned(1, () => true).done([headOf(9, { pin: 1 }), headOf(8, { pin: 2 })])
  line.rewind({ xid: 20, id: 0 })
  expect(line.pinned).toBe(true)
  expect(line.cursor.begin()).toEqual({ xid: 0, id: 0 })
})

test('a message that is dropped takes what waits behind it along, to be read again', () => {
  const { line } = open()
  load(line, 1, 2, 3)
  line.drop(99)
  expect(idsOf(line)).toEqual([1, 2, 3])
  line.drop(2)
  expect(idsOf(line)).toEqual([])
  expect(line.cursor.begin()).toEqual({ xid: 1, id: 0 })
})

test('beyond its bound, or with a full pantry, messages handed over wait in the database; one is always taken in', () => {
  const { line } = open(3)
  for (let id = 1; id <= 9; id++) line.offer(headOf(id))
  expect(idsOf(line)).toEqual([1, 2, 3])
  expect(line.cursor.behind).toBe(true)
  const full = open(3, 1)
  for (let id = 1; id <= 9; id++) full.line.offer(headOf(id))
  expect(idsOf(full.line)).toEqual([1])
})

test('a message that the node has already is not taken in again', () => {
  const { line } = open()
  line.offer(headOf(1))
  line.offer(headOf(1))
  expect(idsOf(line)).toEqual([1])
})

test('it is idle only when nothing waits, is out, is read or is to be read', () => {
  const { line } = open()
  expect(line.isIdle).toBe(true)
  line.cursor.begin()
  expect(line.isIdle).toBe(false)
  line.loaded([headOf(1)], false)
  expect(line.isIdle).toBe(false)
  const first = line.takeFront()
  expect(line.isIdle).toBe(false)
  line.settled(first, null)
  expect(line.isIdle).toBe(true)
  line.pinned = true
  expect(line.isIdle).toBe(false)
})
