import { expect, test } from 'vitest'
import { ChangeStream, MAX_BEHIND } from './change-stream.ts'

const row = async (id: number) => ({ id })

test('what is pushed comes out in order', async () => {
  const stream = new ChangeStream(row)
  stream.push(1)
  stream.push(2)
  expect(await stream.next()).toEqual({ done: false, value: { id: 1 } })
  expect(await stream.next()).toEqual({ done: false, value: { id: 2 } })
  const waiting = stream.next()
  stream.push(3)
  expect(await waiting).toEqual({ done: false, value: { id: 3 } })
})

test('what is not to be sent is passed over', async () => {
  const stream = new ChangeStream(async id => (id % 2 === 0 ? { id } : null))
  for (const id of [1, 3, 4]) stream.push(id)
  expect(await stream.next()).toEqual({ done: false, value: { id: 4 } })
})

test('an end ends whoever waits, and runs its endings once', async () => {
  const stream = new ChangeStream(row)
  let ends = 0
  stream.onEnd(() => {
    ends += 1
  })
  const waiting = stream.next()
  await stream.return()
  await stream.return()
  expect(await waiting).toEqual({ done: true, value: undefined })
  stream.push(1)
  expect(await stream.next()).toEqual({ done: true, value: undefined })
  expect(ends).toBe(1)
})

test('a row that was being read when it ended is not sent', async () => {
  let give = (_: { id: number }): void => {}
  const stream = new ChangeStream(
    () =>
      new Promise(resolve => {
        give = resolve
      }),
  )
  stream.push(1)
  const waiting = stream.next()
  await stream.return()
  give({ id: 1 })
  expect(await waiting).toEqual({ done: true, value: undefined })
})

test('a subscriber that falls too far behind is told so, and keeps no more in memory', async () => {
  const stream = new ChangeStream(row)
  let ended = false
  stream.onEnd(() => {
    ended = true
  })
  for (let id = 0; id <= MAX_BEHIND; id++) stream.push(id)
  expect(ended).toBe(true)
  await expect(stream.next()).rejects.toMatchObject({ code: 'subscriber_too_slow' })
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

test('it ends at a time', async () => {
  const stream = new ChangeStream(row)
  const timers: { run: () => void; delayMs: number; cancelled: boolean }[] = []
  const clock = {
    now: () => 1000,
    monotonic: () => 0,
    setTimer(run: () => void, delayMs: number) {
      const timer = { run, delayMs, cancelled: false }
      timers.push(timer)
      return {
        cancel: () => {
          timer.cancelled = true
        },
      }
    },
  }
  stream.endAt(1500, clock)
  expect(timers[0]?.delayMs).toBe(500)
  timers[0]!.run()
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})
