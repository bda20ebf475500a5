import { expect, test } from 'vitest'
import { HandClock } from '../../test/run-room.ts'
import { silentLog } from '../log.ts'
import type { Credentials } from '../services/credentials.ts'
import type { Service } from '../services/port.ts'
import { OpenServices } from './open-services.ts'

const credentials: Credentials = { host: null, user: null, password: null, path: null }

function openRoom() {
  const clock = new HandClock()
  const opened: string[] = []
  const closed: string[] = []
  const open = new OpenServices({
    open: ({ name }): Service => {
      const label = `${name} ${opened.length + 1}`
      opened.push(label)
      const service = { type: { name }, label, close: async () => void closed.push(label) }
      return service as unknown as Service
    },
    clock,
    log: silentLog,
  })
  const use = (version: number, work: () => Promise<void> = async () => {}) =>
    open.use({ id: 1, org_id: 1, name: 'fake', version }, () => credentials, work)
  return { clock, opened, closed, open, use }
}

test('one that many use is opened once, and anew when its record has changed', async () => {
  const { opened, closed, use } = openRoom()
  await Promise.all([use(1), use(1), use(1)])
  expect(opened).toEqual(['fake 1'])
  await use(2)
  // Somebody who asked a moment ago still knows the version before.
  await use(1)
  expect([opened, closed]).toEqual([['fake 1', 'fake 2'], ['fake 1']])
})

test('one that was changed is closed when what is under way there is over', async () => {
  const { closed, use, open } = openRoom()
  const ends: (() => void)[] = []
  const slow = use(1, () => new Promise(resolve => void ends.push(resolve)))
  await use(2)
  open.drop(1)
  expect(closed).toEqual(['fake 2'])
  ends[0]!()
  await slow
  expect(closed).toEqual(['fake 2', 'fake 1'])
})

test('one that nobody uses is closed after a while, and nothing keeps looking then', async () => {
  const { clock, closed, use, open } = openRoom()
  await use(1)
  await clock.pass(200_000)
  expect(closed).toEqual([])
  await clock.pass(200_000)
  expect([closed, open.size, clock.set]).toEqual([['fake 1'], 0, []])
})

test('at the end all are closed', async () => {
  const { closed, use, open } = openRoom()
  await use(1)
  await open.stop()
  expect(closed).toEqual(['fake 1'])
})
