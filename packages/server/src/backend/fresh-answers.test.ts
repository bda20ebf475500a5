import { beforeEach, expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { FreshAnswers } from './fresh-answers.ts'

let now = 0
let asked: string[] = []
const clock = { monotonic: () => now } as Clock
let answers: FreshAnswers<string>
const ask = (question: string, answer = question): Promise<string> =>
  answers.get(question, async () => {
    asked.push(question)
    if (answer === 'failure') throw new Error('no')
    return answer
  })

beforeEach(() => {
  now = 0
  asked = []
  answers = new FreshAnswers(clock, 100)
})

test('a question is asked once while its answer is fresh, and again after that', async () => {
  expect(await Promise.all([ask('a', 'first'), ask('a', 'second'), ask('b')])).toEqual(['first', 'first', 'b'])
  now = 99
  expect(await ask('a', 'third')).toBe('first')
  now = 100
  expect(await ask('a', 'fourth')).toBe('fourth')
  now = 199
  expect(await ask('a', 'fifth')).toBe('fourth')
  expect(asked).toEqual(['a', 'b', 'a'])
})

test('a failure reaches all who asked, and is not kept', async () => {
  const first = ask('a', 'failure')
  await expect(ask('a', 'shared')).rejects.toThrow('no')
  await expect(first).rejects.toThrow('no')
  expect(await ask('a', 'again')).toBe('again')
})

test('a failure that comes late takes no newer answer away', async () => {
  let fail = (): void => {}
  const late = answers.get('a', () => new Promise((_, reject) => (fail = () => reject(new Error('no')))))
  now = 100
  expect(await ask('a', 'newer')).toBe('newer')
  fail()
  await expect(late).rejects.toThrow('no')
  expect(await ask('a', 'newest')).toBe('newer')
})
