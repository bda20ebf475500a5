import { expect, test } from 'vitest'
import { Closing } from './app-closing.ts'
import { silentLog } from './log.ts'

/** Parts that take a moment to end, by name; `!` is one that fails. What has begun and ended is written down. */
function closingOf(...names: string[]) {
  const closing = new Closing()
  const done: string[] = []
  const end = (name: string) => async (): Promise<void> => {
    done.push(`${name} ends`)
    await new Promise(resolve => setImmediate(resolve))
    if (name === '!') throw new Error('it cannot')
    done.push(`${name} has ended`)
  }
  for (const name of names) closing.add(name, end(name))
  return { closing, end, done }
}

test('what was opened last ends first, each after the other, whichever fail', async () => {
  const { closing, end, done } = closingOf('database', '!', 'node')
  closing.addFirst('callers', end('callers'))
  closing.add('janitor', end('janitor'))
  await closing.run(silentLog)
  const whole = (name: string) => [`${name} ends`, `${name} has ended`]
  expect(done).toEqual([...whole('callers'), ...whole('janitor'), ...whole('node'), '! ends', ...whole('database')])
})

test('who asks for the end again, or meanwhile, gets the same one when it is there', async () => {
  const { closing, done } = closingOf('database', 'node')
  const all = ['node ends', 'node has ended', 'database ends', 'database has ended']
  const ends = [closing.run(silentLog), closing.run(silentLog)]
  for (const end of ends) await end.then(() => expect(done).toEqual(all))
  await closing.run(silentLog)
  expect(done).toEqual(all)
})
