import { expect, test } from 'vitest'
import { openPantry, routeOf, shardOf } from '../../test/run-room.ts'
import { OrgTurns } from './org-turns.ts'
import type { Route } from './port.ts'
import { QueueRun } from './queue-run.ts'

const pantry = openPantry()

function queueOf(id: number, orgId: number): QueueRun<Route> {
  const queue = new QueueRun<Route>(id, shardOf(id), pantry)
  queue.configure(routeOf(id, { orgId }))
  return queue
}

test('an org whose last queue left the line has no turn', () => {
  const line = new OrgTurns<Route>()
  const [one, other] = [queueOf(1, 1), queueOf(2, 2)]
  line.add(one)
  line.add(other)
  line.leave(one)
  expect(line.next()).toBe(other)
  expect(line.next()).toBeNull()
  expect(line.isEmpty).toBe(true)
})

test('a queue that leaves takes no turn from the others of its org', () => {
  const line = new OrgTurns<Route>()
  const queues = [queueOf(1, 1), queueOf(2, 1), queueOf(3, 1)]
  for (const queue of queues) line.add(queue)
  line.leave(queues[1]!)
  expect([line.next(), line.next(), line.next()]).toEqual([queues[0], queues[2], null])
})

test('orgs that have nothing in line any more do not fill the memory', () => {
  const line = new OrgTurns<Route>()
  for (let org = 0; org < 100_000; org++) {
    const queue = queueOf(org, org)
    line.add(queue)
    expect(line.next()).toBe(queue)
  }
  expect(line.size).toBeLessThan(200)
})
