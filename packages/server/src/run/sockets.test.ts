import { expect, test } from 'vitest'
import { planSockets, readFileLimit } from './sockets.ts'

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units
Max processes             63289                63289                processes
Max open files            ${soft}                 1048576              files
`
const wishes = { files: 100_000, maxSockets: null, maxInFlight: 1000, database: 26, servesCallers: true }

test('how many files may be open is what the system says, or else the usual', () => {
  expect(readFileLimit(() => limits('1024'))).toBe(1024)
  expect(readFileLimit(() => limits('unlimited'))).toBe(1_000_000)
  expect(readFileLimit(() => 'nothing of the kind')).toBe(10_000)
  expect(
    readFileLimit(() => {
      throw new Error('no such file')
    }),
  ).toBe(10_000)
  expect(readFileLimit()).toBeGreaterThan(0)
})

test('with files enough there are sockets for all attempts, and the rest is for callers', () => {
  expect(planSockets(wishes)).toEqual({ files: 100_000, sockets: 5000, inFlight: 1000, callers: 94_774 })
  expect(planSockets({ ...wishes, maxSockets: 300 })).toMatchObject({ sockets: 300, inFlight: 300 })
  expect(planSockets({ ...wishes, servesCallers: false })).toMatchObject({ callers: 0 })
})

test('with few files there are fewer sockets and attempts, and never more than files', () => {
  for (let files = 300; files < 3000; files += 50) {
    const { sockets, callers, inFlight } = planSockets({ ...wishes, files })
    expect(sockets + callers + 226).toBeLessThanOrEqual(files)
    expect(inFlight).toBeLessThanOrEqual(sockets)
    expect(callers).toBeGreaterThan(0)
  }
})

test('what cannot be is refused, with its bound', () => {
  expect(() => planSockets({ ...wishes, files: 1024, maxSockets: 5000 })).toThrow(
    'maxSockets is 5000, but this process may open 1024 files (ulimit -n), of which 226 are kept for the database and itself: it must be 598 at most',
  )
  expect(() => planSockets({ ...wishes, files: 64 })).toThrow('allow 1226 or more')
})
