import { expect, test } from 'vitest'
import { planSpans } from './plan-spans.ts'

const M = 1_000_000

test('at first start there are three spans, from zero on', () => {
  expect(planSpans({ lastId: 0, currentHi: null, top: 0, dayIds: 0 })).toEqual([
    { lo: 0, hi: 10 * M },
    { lo: 10 * M, hi: 20 * M },
    { lo: 20 * M, hi: 30 * M },
  ])
})

test('nothing is made until the sequence enters the next span', () => {
  expect(planSpans({ lastId: 10 * M - 2, currentHi: 10 * M, top: 30 * M, dayIds: 5 * M })).toEqual([])
  expect(planSpans({ lastId: 10 * M - 1, currentHi: 20 * M, top: 30 * M, dayIds: 5 * M })).toEqual([
    { lo: 30 * M, hi: 40 * M },
  ])
})

test('spans are as large as a day, within bounds, and reach two days ahead', () => {
  const planned = planSpans({ lastId: 25 * M, currentHi: 30 * M, top: 50 * M, dayIds: 24 * M + 1 })
  expect(planned).toEqual([
    { lo: 50 * M, hi: 75 * M },
    { lo: 75 * M, hi: 100 * M },
  ])
  const busy = planSpans({ lastId: 5 * M, currentHi: 10 * M, top: 10 * M, dayIds: 3000 * M })
  expect(busy.map(({ lo, hi }) => hi - lo)).toEqual(Array(6).fill(1000 * M))
})

test('a sequence that has outrun its spans is caught up with, without a gap and without many partitions', () => {
  const planned = planSpans({ lastId: 500_000_000_123, currentHi: null, top: 30 * M, dayIds: 500_000_000_000 })
  expect(planned).toEqual([
    { lo: 30 * M, hi: 500_010 * M },
    { lo: 500_010 * M, hi: 500_020 * M },
    { lo: 500_020 * M, hi: 500_030 * M },
  ])
})

test('the id after the last one lies below the end of the first span, at the border too', () => {
  const [first] = planSpans({ lastId: 40 * M - 1, currentHi: null, top: 30 * M, dayIds: 0 })
  expect(first).toEqual({ lo: 30 * M, hi: 50 * M })
})
