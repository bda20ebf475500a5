import { expect, test } from 'vitest'
import { HandClock, settled } from '../../test/run-room.ts'
import { type Log, silentLog } from '../log.ts'
import { Announcer, readAnnouncement } from './announcer.ts'

function announcing(log: Log = silentLog, fail = false) {
  const clock = new HandClock()
  const said: string[] = []
  const notify = async (payload: string): Promise<void> => {
    said.push(payload)
    if (fail) throw new Error('no connection')
  }
  return { clock, said, announcer: new Announcer({ notify, clock, log }) }
}

test('what happens within a few milliseconds is one word', async () => {
  const { clock, said, announcer } = announcing()
  announcer.announce([3, 5])
  announcer.announce([5, 8])
  expect(said).toEqual([])
  await clock.pass(10)
  expect(said.map(readAnnouncement)).toEqual([[3, 5, 8]])
})

test('a change is said instead of shards, since it makes everybody look', async () => {
  const { clock, said, announcer } = announcing()
  announcer.announce([3])
  announcer.announce(null)
  await clock.pass(10)
  expect(said.map(readAnnouncement)).toEqual([null])
})

test('what was said is not said again', async () => {
  const { clock, said, announcer } = announcing()
  announcer.announce(null)
  await clock.pass(10)
  announcer.announce([4])
  await clock.pass(10)
  expect(said.map(readAnnouncement)).toEqual([null, [4]])
})

test('a word that is lost hurts nobody, and the next one is said', async () => {
  const { clock, said, announcer } = announcing(silentLog, true)
  announcer.announce([1])
  await clock.pass(10)
  announcer.announce([2])
  await clock.pass(10)
  expect(said).toEqual(['1', '2'])
})

test('once stopped, it says nothing and leaves no timer', async () => {
  const { clock, said, announcer } = announcing()
  announcer.announce([1])
  announcer.stop()
  announcer.announce([2])
  await settled()
  expect(clock.set).toEqual([])
  expect(said).toEqual([])
})

test('while the database has not taken a word in, what happens is collected for the next', async () => {
  const clock = new HandClock()
  const said: string[] = []
  let taken = (): void => {}
  const notify = (payload: string): Promise<void> => {
    said.push(payload)
    return new Promise(resolve => {
      taken = resolve
    })
  }
  const announcer = new Announcer({ notify, clock, log: silentLog })
  announcer.announce([1])
  await clock.pass(10)
  for (let shard = 2; shard < 10; shard++) {
    announcer.announce([shard])
    await clock.pass(10)
  }
  expect(said).toEqual(['1'])
  taken()
  await clock.pass(10)
  expect(said).toEqual(['1', '2,3,4,5,6,7,8,9'])
  taken()
  await clock.pass(10)
  expect(said).toHaveLength(2)
})
