import { expect, test } from 'vitest'
import { HandClock, headOf, openPantry, QUEUE, reportOf, routeOf, shardOf } from '../../test/run-room.ts'
import { Gates } from './gates.ts'
import { type Route, silentHappenings } from './port.ts'
import { QueueRun } from './queue-run.ts'

const circuitBreaker = { failures: 1, probeMs: 100, maxProbeMs: 100 }

function open(spread: number) {
  const clock = new HandClock()
  const told: string[] = []
  const happenings = {
    ...silentHappenings,
    breakerOpened: (id: number) => void told.push(`${id} opened`),
    breakerClosed: (id: number) => void told.push(`${id} closed`),
  }
  const gates = new Gates<Route>({ clock, happenings, opened() {} })
  const slices = Array.from({ length: spread }, (_, slice) => {
    const queue = new QueueRun<Route>(QUEUE, shardOf(1), openPantry(), slice)
    queue.configure(routeOf(QUEUE, { spread, circuitBreaker }))
    return queue
  })
  const attempt = (slice: number, outcome: 'delivered' | 'failed'): void => {
    const head = headOf(1)
    gates.started(slices[slice]!, head)
    gates.ended(slices[slice]!, head, reportOf(outcome))
  }
  return { clock, told, gates, attempt }
}

test('each slice has a circuit of its own, and the queue is well again when the last one is closed', () => {
  const { clock, told, gates, attempt } = open(2)
  attempt(0, 'failed')
  attempt(1, 'failed')
  expect(gates.openCircuits).toBe(2)
  clock.time += 200
  attempt(0, 'delivered')
  expect(gates.openCircuits).toBe(1)
  expect(told).toEqual([`${QUEUE} opened`, `${QUEUE} opened`])
  attempt(1, 'delivered')
  expect(told.at(-1)).toBe(`${QUEUE} closed`)
})
