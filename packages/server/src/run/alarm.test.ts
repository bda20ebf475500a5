import { expect, test } from 'vitest'
import { HandClock } from '../../test/run-room.ts'
import { Alarm } from './alarm.ts'

function open() {
  const clock = new HandClock()
  const rung: string[] = []
  const alarm = new Alarm<string>({
    clock,
    now: () => clock.time,
    ring: key => rung.push(`${key} at ${clock.time}`),
  })
  return { clock, alarm, rung }
}

test('each rings once, at its time, and one timer does for all', async () => {
  const { clock, alarm, rung } = open()
  alarm.set('late', 1500)
  alarm.set('soon', 1100)
  alarm.set('between', 1300)
  expect(clock.set).toEqual([1100])
  await clock.pass(1000)
  expect(rung).toEqual(['soon at 1100', 'between at 1300', 'late at 1500'])
  expect(clock.set).toEqual([])
})

test('a time that is moved or taken away is not kept', async () => {
  const { clock, alarm, rung } = open()
  alarm.set('moved', 1100)
  alarm.set('moved', 1400)
  alarm.set('gone', 1200)
  alarm.set('gone', null)
  await clock.pass(1000)
  expect(rung).toEqual(['moved at 1400'])
})

test('after a stop nothing rings', async () => {
  const { clock, alarm, rung } = open()
  alarm.set('a', 1100)
  alarm.stop()
  alarm.set('b', 1100)
  await clock.pass(1000)
  expect(rung).toEqual([])
})
