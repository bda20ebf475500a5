import { expect, test } from 'vitest'
import { boundPuts } from './bounded-puts.ts'
import { message as messageOn } from './fixture.suite.ts'
import { createGroupCommit } from './group-commit.ts'
import type { NewMessage, PutResult } from './port.ts'

const message = (body: string): NewMessage => messageOn({ orgId: 1 }, 1, { body })

/** An engine that stores when the test says so. */
function slowEngine(bounds: { readonly messages: number; readonly bytes: number }) {
  const stored: string[] = []
  let commits: (() => void)[] = []
  const commit = createGroupCommit({
    async put(messages) {
      await new Promise<void>(resolve => commits.push(resolve))
      stored.push(...messages.map(({ body }) => body as string))
      return messages.map((): PutResult => ({ kind: 'stored', id: stored.length, xid: 1, createdAt: 0 }))
    },
    repair: async () => false,
  })
  const go = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) {
      for (const finish of commits) finish()
      commits = []
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  return { puts: boundPuts(commit, bounds), stored, go }
}

const overloaded = { code: 'overloaded', status: 503 }

test('a put beyond the bound is refused at once, and not stored; when the others are, there is room again', async () => {
  const { puts, stored, go } = slowEngine({ messages: 3, bytes: 1e6 })
  const first = ['a', 'b', 'c'].map(body => puts.put(message(body)))
  await expect(puts.put(message('d'))).rejects.toMatchObject({ ...overloaded, details: { limit: 3 } })
  await expect(puts.putTogether([message('e'), message('f')])).rejects.toMatchObject(overloaded)
  expect((await puts.putAll([message('g')]))[0]).toMatchObject({ status: 'rejected', reason: overloaded })
  await go()
  await Promise.all(first)
  const later = puts.put(message('h'))
  await go()
  await later
  expect(stored).toEqual(['a', 'b', 'c', 'h'])
})

test('large messages are bounded by their bytes', async () => {
  const { puts, stored, go } = slowEngine({ messages: 100, bytes: 1000 })
  const first = puts.put(message('x'.repeat(1000)))
  await expect(puts.put(message('y'))).rejects.toMatchObject({ ...overloaded, details: { limit: 1000 } })
  await go()
  await first
  expect(stored).toHaveLength(1)
})

test('who is alone is not refused, however much it brings', async () => {
  const { puts, stored, go } = slowEngine({ messages: 2, bytes: 10 })
  const alone = puts.putTogether(Array.from({ length: 50 }, (_, i) => message(`${i} of many`)))
  await go()
  await alone
  expect(stored).toHaveLength(50)
})

test('a put that fails holds nothing any more', async () => {
  const commit = createGroupCommit({ put: () => Promise.reject(new Error('no')), repair: async () => false })
  const puts = boundPuts(commit, { messages: 1, bytes: 1e6 })
  for (let nth = 0; nth < 3; nth++) await expect(puts.put(message('a'))).rejects.toThrow('no')
})
