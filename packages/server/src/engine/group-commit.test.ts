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

/** A server that answers when it is told to, and what it was asked. */
function slowServer() {
  const batches: string[][] = []
  const ends: (() => void)[] = []
  const commit = createGroupCommit({
    put(messages) {
      batches.push(messages.map(({ body }) => body as string))
      const stored = messages.map((_, index): PutResult => ({ kind: 'stored', id: index, xid: 1, createdAt: 0 }))
      return new Promise(resolve => ends.push(() => resolve(stored)))
    },
    repair: async () => false,
  })
  const turn = () => new Promise(resolve => setImmediate(resolve))
  return {
    batches,
    sizes: () => batches.map(({ length }) => length),
    async put(count: number) {
      for (let nth = 0; nth < count; nth++) void commit.put(message('x'))
      await turn()
    },
    async putAll(bodies: readonly string[]) {
      void commit.putAll(bodies.map(message))
      await turn()
    },
    async end(nth = 0) {
      for (const end of ends.splice(nth, 1)) end()
      await turn()
    },
  }
}

test('a second batch waits until as many have come as the first one has, and goes at once if they have', async () => {
  const { put, sizes, end } = slowServer()
  await put(4)
  await put(3)
  expect(sizes()).toEqual([4])
  await put(1)
  expect(sizes()).toEqual([4, 4])
  await put(20)
  expect(sizes()).toEqual([4, 4])
  await end()
  expect(sizes()).toEqual([4, 4, 20])
  await put(1)
  await end()
  await end()
  expect(sizes()).toEqual([4, 4, 20, 1])
})

test('many at once are halved, so that one half is on its way while the other is answered', async () => {
  const { put, sizes, end } = slowServer()
  await put(200)
  expect(sizes()).toEqual([100, 100])
  await end()
  await put(100)
  expect(sizes()).toEqual([100, 100, 100])
  const fewer = slowServer()
  await fewer.put(127)
  expect(fewer.sizes()).toEqual([127])
})

const numbered = (first: number, count: number) => Array.from({ length: count }, (_, nth) => `${first + nth}`)

test('what is given together goes in one commit, however the others are halved', async () => {
  const { put, putAll, batches, sizes } = slowServer()
  await put(20)
  await put(10)
  await putAll(numbered(0, 200))
  expect(sizes()).toEqual([20, 210])
  expect(batches[1]!.slice(10)).toEqual(numbered(0, 200))
})

test('what is given together and does not fit goes one commit after the other, in its order', async () => {
  const { putAll, batches, end } = slowServer()
  await putAll(numbered(0, 2500))
  await putAll(numbered(2500, 10))
  expect(batches).toEqual([numbered(0, 1000)])
  await end()
  expect(batches.slice(1)).toEqual([numbered(1000, 1000)])
  await end()
  expect(batches.slice(2)).toEqual([numbered(2000, 500)])
  await end()
  expect(batches.slice(3)).toEqual([numbered(2500, 10)])
})

const refused = (bodies: readonly string[]) =>
  bodies.includes('bad') ? { outcome: 'rejected', sqlState: '22021' } : null

test('a row that the server refuses fails alone', async () => {
  const { commit, stored } = server(refused)
  const results = await Promise.allSettled(['a', 'b', 'bad', 'c'].map(body => commit.put(message(body))))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect(stored).toEqual(['a', 'b', 'c'])
})

test('of what is given together one that is refused fails alone, and each has its answer in its place', async () => {
  const { commit, stored } = server(refused)
  const settled = await commit.putAll(['a', 'bad', 'c'].map(message))
  expect(settled.map(one => (one.status === 'fulfilled' ? one.value.id : one.status))).toEqual([1, 'rejected', 2])
  expect(stored).toEqual(['a', 'c'])
  expect(await commit.putAll([])).toEqual([])
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
  await Promise.all(Array.from({ length: 3000 }, () => commit.put(message('x'))))
  expect(Math.max(...batches.map(batch => batch.length))).toBe(1000)
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
