import { expect, test } from 'vitest'
import { type Bounds, Gate } from './gate.ts'

const RATE = { count: 1, intervalMs: 1000, burst: 1 }
const BREAKER = { failures: 1, probeMs: 5000, maxProbeMs: 5000 }
const NONE: Bounds = { callbackUrl: 'http://a', function: null, rateLimit: null, circuitBreaker: null }

const fail = (gate: Gate, now: number) => {
  const message = {}
  gate.started(message, now)
  return gate.ended(message, 'ill', now)
}

test('a queue without bounds wants none', () => {
  expect(Gate.isWanted(NONE)).toBe(false)
  expect(Gate.isWanted({ ...NONE, rateLimit: RATE })).toBe(true)
  expect(Gate.isWanted({ ...NONE, circuitBreaker: BREAKER })).toBe(true)
  expect(Gate.isWanted({ ...NONE, function: 'email' })).toBe(true)
})

test('the later of its bounds counts', () => {
  const gate = new Gate({ ...NONE, rateLimit: RATE, circuitBreaker: BREAKER })
  gate.started({}, 1000)
  expect(gate.opensAt).toBe(2000)
  expect(fail(gate, 2000)).toBe('opened')
  expect([gate.opensAt, gate.isOpenCircuit]).toEqual([7000, true])
})

test('it is read ahead for a second of its rate, and for one probe while the circuit is open', () => {
  const gate = new Gate({ ...NONE, rateLimit: { count: 600, intervalMs: 60_000, burst: 5 }, circuitBreaker: BREAKER })
  expect(gate.appetite).toBe(15)
  fail(gate, 0)
  expect(gate.appetite).toBe(1)
})

test('a configuration that says the same of it changes nothing, nor does a pause that goes on', () => {
  const bounds = { ...NONE, rateLimit: RATE, circuitBreaker: BREAKER }
  const gate = new Gate(bounds)
  fail(gate, 1000)
  gate.change(structuredClone(bounds), false)
  expect([gate.opensAt, gate.isOpenCircuit]).toEqual([6000, true])
})

test.each<[string, Partial<Bounds>, boolean]>([
  ['another URL', { callbackUrl: 'http://b' }, false],
  ['another breaker', { circuitBreaker: { ...BREAKER, failures: 2 } }, false],
  ['no breaker', { circuitBreaker: null }, false],
  ['a resume', {}, true],
])('%s closes the circuit, and the rate is kept', (_what, change, isResumed) => {
  const bounds = { ...NONE, rateLimit: RATE, circuitBreaker: BREAKER }
  const gate = new Gate(bounds)
  fail(gate, 1000)
  gate.change({ ...bounds, ...change }, isResumed)
  expect([gate.opensAt, gate.isOpenCircuit]).toEqual([2000, false])
})

test('it is at rest when its rate is full again and nothing has failed since the last success', () => {
  const gate = new Gate({ ...NONE, rateLimit: RATE, circuitBreaker: { ...BREAKER, failures: 2 } })
  expect(gate.isAtRest(0)).toBe(true)
  fail(gate, 1000)
  expect(gate.isAtRest(5000)).toBe(false)
  const message = {}
  gate.started(message, 5000)
  gate.ended(message, 'well', 5000)
  expect([gate.isAtRest(5999), gate.isAtRest(6000)]).toEqual([false, true])
})
