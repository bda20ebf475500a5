import { expect, test } from 'vitest'
import { message as messageOn } from './fixture.suite.ts'
import { createGroupCommit } from './group-commit.ts'
import type { NewMessage, PutResult } from './port.ts'

const message = (body: string): NewMessage => messageOn({ orgId: 1 }, 1, { body })

function server(fail: (bodies: readonly string[]) => object | null = () => null) {
  const batches: string[][] = []
  const stored: string[] = []
  let id = 0
  const commit = createGroupCommit({
    async put(messages) {
      const bodies = messages.map(({ body }) => body as string)
      batches.push(bodies)
      const error = fail(bodies)
      if (error) throw Object.assign(new Error('no'), error)
      stored.push(...bodies)
      return bodies.map(() => ({ kind: 'stored', id: ++id, xid: 1, createdAt: 0 }) as PutResult)
    },
    repair: async () => true,
  })
  return { commit, batches, stored }
}

test('callers of the same turn share one commit and get their own ids, in order', async () => {
  const { commit, batches } = server()
  const results = await Promise.all(['a', 'b', 'c'].map(body => commit.put(message(body))))
  expect(batches).toEqual([['a', 'b', 'c']])
  expect(results.map(result => result.id)).toEqual([1, 2, 3])
})

test('a second batch waits until as many have come as the first one has, and goes at once if they have', async () => {
  const sizes: number[] = []
  const ends: (() => void)[] = []
  const commit = createGroupCommit({
    put(messages) {
      sizes.push(messages.length)
      const stored = messages.map((_, index): PutResult => ({ kind: 'stored', id: index, xid: 1, createdAt: 0 }))
      return new Promise(resolve => ends.push(() => resolve(stored)))
    },
    repair: async () => false,
  })
  const turn = () => new Promise(resolve => setImmediate(resolve))
  const putSome = async (count: number) => {
    for (let nth = 0; nth < count; nth++) void commit.put(message('x'))
    await turn()
  }
  await putSome(4)
  await putSome(3)
  expect(sizes).toEqual([4])
  await putSome(1)
  expect(sizes).toEqual([4, 4])
  await putSome(20)
  expect(sizes).toEqual([4, 4])
  ends.shift()!()
  await turn()
  expect(sizes).toEqual([4, 4, 20])
  await putSome(1)
  for (const end of ends.splice(0)) end()
  await turn()
  expect(sizes).toEqual([4, 4, 20, 1])
})

test('a row that the server refuses fails alone', async () => {
  const refused = (bodies: readonly string[]) =>
    bodies.includes('bad') ? { outcome: 'rejected', sqlState: '22021' } : null
  const { commit, stored } = server(refused)
  const results = await Promise.allSettled(['a', 'b', 'bad', 'c'].map(body => commit.put(message(body))))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(stored).toEqual(['a', 'b', 'c'])
})

test('a batch whose commit is in doubt is not tried again', async () => {
  const { commit, batches } = server(() => ({ outcome: 'unknown' }))
  await expect(commit.put(message('a'))).rejects.toMatchObject({ outcome: 'unknown' })
  expect(batches).toHaveLength(1)
})

test('a deadlock is tried again, but not for ever', async () => {
  let failures = 1
  const once = server(() => (failures-- > 0 ? { outcome: 'rejected', sqlState: '40P01' } : null))
  await expect(once.commit.put(message('a'))).resolves.toMatchObject({ kind: 'stored' })
  const always = server(() => ({ outcome: 'rejected', sqlState: '40P01' }))
  await expect(always.commit.put(message('a'))).rejects.toThrow('no')
  expect(always.batches).toHaveLength(4)
})

test('a batch is bounded in rows and in bytes', async () => {
  const { commit, batches } = server()
  await Promise.all(Array.from({ length: 1200 }, () => commit.put(message('x'))))
  expect(Math.max(...batches.map(batch => batch.length))).toBe(500)
  batches.length = 0
  await Promise.all(Array.from({ length: 10 }, () => commit.put(message('y'.repeat(1024 * 1024)))))
  expect(Math.max(...batches.map(batch => batch.length))).toBe(4)
})

test('a repair that fails fails the callers, and those after them are served', async () => {
  let failures = 1
  const commit = createGroupCommit({
    async put(messages) {
      if (failures-- > 0) throw Object.assign(new Error('no partition'), { outcome: 'rejected', sqlState: '23514' })
      return messages.map((_, index) => ({ kind: 'stored', id: index + 1, xid: 1, createdAt: 0 }))
    },
    repair: () => Promise.reject(new Error('no space')),
  })
  await expect(commit.put(message('a'))).rejects.toThrow('no partition')
  await expect(commit.put(message('b'))).resolves.toMatchObject({ kind: 'stored' })
})

test('those that go together are one commit of their own, in order', async () => {
  const { commit, batches, stored } = server()
  const alone = commit.put(message('x'))
  const results = await commit.putTogether(['a', 'b', 'c'].map(message))
  await alone
  expect(batches).toContainEqual(['a', 'b', 'c'])
  expect(results).toHaveLength(3)
  expect(stored).toEqual(expect.arrayContaining(['a', 'b', 'c']))
})

test('those that go together fail together: no half of them is tried', async () => {
  const refused = (bodies: readonly string[]) =>
    bodies.includes('bad') ? { outcome: 'rejected', sqlState: '22021' } : null
  const { commit, batches, stored } = server(refused)
  await expect(commit.putTogether(['a', 'bad'].map(message))).rejects.toMatchObject({ sqlState: '22021' })
  expect(batches).toEqual([['a', 'bad']])
  expect(stored).toEqual([])
})

test('those that go together are tried again after a deadlock, and never when their commit is in doubt', async () => {
  let failures = 1
  const once = server(() => (failures-- > 0 ? { outcome: 'rejected', sqlState: '40P01' } : null))
  expect(await once.commit.putTogether([message('a')])).toHaveLength(1)
  const lost = server(() => ({ outcome: 'unknown' }))
  await expect(lost.commit.putTogether([message('a')])).rejects.toMatchObject({ outcome: 'unknown' })
  expect(lost.batches).toHaveLength(1)
})
