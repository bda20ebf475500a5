import { expect, test } from 'vitest'
import { type Laws, sorted } from './fixture.suite.ts'
import type { LockHold, Locks } from './port.ts'

const LONG = 60_000
const open = (locks: Locks): Promise<LockHold> => locks.open(LONG, () => {})

export function lockLaws({ fixture, needs }: Laws): void {
  test('a shard is locked until it is given back', async () => {
    const hold = await open(fixture().locks)
    expect(sorted(await hold.lock([1, 3]))).toEqual([1, 3])
    expect(sorted((await hold.look()).locked)).toEqual([1, 3])
    await hold.unlock([1])
    expect((await hold.look()).locked).toEqual([3])
    await hold.close()
  })

  test('what a session holds already is not free for itself: given back once, it is free', async () => {
    const hold = await open(fixture().locks)
    await hold.lock([2])
    expect(await hold.lock([2, 4])).toEqual([4])
    await hold.unlock([2, 4])
    expect((await hold.look()).locked).toEqual([])
    await hold.close()
  })

  test('each taking bumps the epoch and tells the one before', async () => {
    const hold = await open(fixture().locks)
    await hold.lock([5, 6])
    const [first] = await hold.take([5], 'a')
    expect(first).toMatchObject({ shard: 5, epoch: first!.previousEpoch + 1 })
    const both = await hold.take([5, 6], 'a')
    expect(both.find(({ shard }) => shard === 5)).toEqual({
      shard: 5,
      epoch: first!.epoch + 1,
      previousEpoch: first!.epoch,
    })
    expect(both).toHaveLength(2)
    await hold.close()
  })

  test('a session that has ended can do nothing, and makes no tenure void', async () => {
    const { locks } = fixture()
    const [gone, next] = [await open(locks), await open(locks)]
    await gone.lock([7])
    const [before] = await gone.take([7], 'gone')
    await gone.close()
    await expect(gone.look()).rejects.toThrow()
    await expect(gone.take([7], 'gone')).rejects.toThrow()
    expect(await next.lock([7])).toEqual([7])
    expect((await next.take([7], 'next'))[0]!.previousEpoch).toBe(before!.epoch)
    await next.close()
  })

  needs('sessions', 'of two sessions one gets a shard, the other what is left', async () => {
    const { locks } = fixture()
    const [a, b] = [await open(locks), await open(locks)]
    expect(sorted(await a.lock([0, 1, 2]))).toEqual([0, 1, 2])
    expect(sorted(await b.lock([1, 2, 3]))).toEqual([3])
    await a.unlock([1])
    expect(await b.lock([1])).toEqual([1])
    expect(sorted((await b.look()).locked)).toEqual([0, 1, 2, 3])
    await Promise.all([a.close(), b.close()])
  })

  needs('sessions', 'one session cannot give back what another holds', async () => {
    const { locks } = fixture()
    const [a, b] = [await open(locks), await open(locks)]
    await a.lock([4])
    await b.unlock([4])
    expect(await b.lock([4])).toEqual([])
    await Promise.all([a.close(), b.close()])
  })

  needs('sessions', 'the locks of a session are free when it has closed', async () => {
    const { locks } = fixture()
    const [a, b] = [await open(locks), await open(locks)]
    await a.lock([5])
    await a.join()
    await a.lead()
    await a.close()
    expect(await b.lock([5])).toEqual([5])
    expect(await b.lead()).toBe(true)
    expect((await b.look()).members).toBe(0)
    await b.close()
  })

  needs('sessions', 'a session that the server ends has lost its locks, and is told so once', async () => {
    const f = fixture()
    const reasons: Error[] = []
    let told = () => {}
    const ended = new Promise<void>(resolve => {
      told = resolve
    })
    const hold = await f.locks.open(LONG, reason => {
      reasons.push(reason)
      told()
    })
    await hold.lock([6])
    await f.cutSessions()
    await ended
    await expect(hold.take([6], 'late')).rejects.toThrow()
    const next = await open(f.locks)
    expect(await next.lock([6])).toEqual([6])
    await hold.close()
    expect(reasons).toHaveLength(1)
    await next.close()
  })

  needs('sessions', 'workers are counted, each once, until they leave or end', async () => {
    const { locks } = fixture()
    const [a, b, c] = [await open(locks), await open(locks), await open(locks)]
    await a.join()
    await b.join()
    expect((await c.look()).members).toBe(2)
    expect((await c.look()).locked).toEqual([])
    await a.leave()
    expect((await c.look()).members).toBe(1)
    await b.close()
    expect((await c.look()).members).toBe(0)
    await Promise.all([a.close(), c.close()])
  })

  needs('sessions', 'one leads, and stays the leader until its session ends', async () => {
    const { locks } = fixture()
    const [a, b] = [await open(locks), await open(locks)]
    expect([await a.lead(), await b.lead(), await a.lead(), await a.lead(), await b.lead()]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ])
    await a.close()
    expect(await b.lead()).toBe(true)
    await b.close()
  })
}
