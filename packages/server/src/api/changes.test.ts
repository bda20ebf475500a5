import { describe, expect, test } from 'vitest'
import type { Clock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { type Change, NodeChanges } from './changes.ts'

/** A clock that is turned by hand. */
function handClock() {
  let now = 0
  const timers = new Set<{ at: number; run: () => void }>()
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    setTimer(run, delayMs) {
      const timer = { at: now + delayMs, run }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
  }
  const turn = async (ms: number): Promise<void> => {
    for (const end = now + ms; ; ) {
      const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      now = next ? next.at : end
      if (!next) break
      timers.delete(next)
      next.run()
      await new Promise(setImmediate)
    }
    await new Promise(setImmediate)
  }
  return { clock, turn }
}

/** Nodes on one channel: what one sends, all of them hear. */
function nodes(...names: string[]) {
  const { clock, turn } = handClock()
  const sent: string[] = []
  const channel = { up: true }
  const all: NodeChanges[] = names.map(
    nodeId =>
      new NodeChanges({
        clock,
        log: silentLog,
        nodeId,
        send: async payload => {
          if (!channel.up) throw new Error('the database is away')
          sent.push(payload)
          for (const node of all) node.heard(payload)
        },
      }),
  )
  return { all, sent, turn, channel }
}

const saved = (id: number): Change => ({ orgId: 1, resource: 'message', act: 'saved', id })
function listen(node: NodeChanges) {
  const heard: number[] = []
  return { heard, leave: node.subscribe(change => heard.push(change.id)) }
}

test('a subscriber hears what its own node writes, once and in order, until it leaves', () => {
  const [node] = nodes('a').all
  const { heard, leave } = listen(node!)
  for (const id of [3, 1, 2]) node!.publish(saved(id))
  expect(heard).toEqual([3, 1, 2])
  leave()
  node!.publish(saved(4))
  expect(heard).toEqual([3, 1, 2])
  expect(node!.subscribers).toBe(0)
})

describe('between nodes', () => {
  test('nothing is sent while nobody subscribes', async () => {
    const { all, sent, turn } = nodes('a', 'b')
    all[0]!.publish(saved(1))
    await turn(60_000)
    expect(sent).toEqual([])
  })

  test('a subscriber hears what other nodes write, and its own node’s once', async () => {
    const { all, turn } = nodes('a', 'b')
    const { heard } = listen(all[0]!)
    await turn(0)
    all[1]!.publish(saved(1))
    all[1]!.publish(saved(2))
    all[0]!.publish(saved(3))
    await turn(100)
    expect(heard.sort()).toEqual([1, 2, 3])
  })

  test('what is written within a moment goes in one word', async () => {
    const { all, sent, turn } = nodes('a', 'b')
    listen(all[0]!)
    await turn(0)
    for (let id = 1; id <= 50; id++) all[1]!.publish(saved(id))
    await turn(100)
    expect(sent.filter(payload => payload.includes('changes'))).toHaveLength(1)
  })

  test('no word is longer than PostgreSQL takes, and none is lost for that', async () => {
    const { all, sent, turn } = nodes('a', 'b')
    const { heard } = listen(all[0]!)
    await turn(0)
    for (let id = 1; id <= 3000; id++) all[1]!.publish(saved(2 ** 50 + id))
    await turn(1000)
    expect(heard).toHaveLength(3000)
    expect(Math.max(...sent.map(payload => Buffer.byteLength(payload)))).toBeLessThan(8000)
    expect(sent.length).toBeLessThan(25)
  })

  test('a node that has subscribers keeps saying so, and is told until it has none', async () => {
    const { all, sent, turn } = nodes('a', 'b')
    const { heard, leave } = listen(all[0]!)
    await turn(300_000)
    all[1]!.publish(saved(1))
    await turn(100)
    expect(heard).toEqual([1])
    leave()
    await turn(60_000)
    const before = sent.length
    all[1]!.publish(saved(2))
    await turn(60_000)
    expect(sent.length).toBe(before)
  })

  test('a change is awaited as long as somebody hears of it, here or on another node', async () => {
    const { all, turn } = nodes('a', 'b')
    const awaited = () => all.map(node => node.isAwaited)
    expect(awaited()).toEqual([false, false])
    const { leave } = listen(all[0]!)
    await turn(0)
    expect(awaited()).toEqual([true, true])
    leave()
    expect(awaited()).toEqual([false, true])
    await turn(60_000)
    expect(awaited()).toEqual([false, false])
  })

  test('while the database is away changes are missed, and nothing else fails', async () => {
    const { all, turn, channel } = nodes('a', 'b')
    const { heard } = listen(all[0]!)
    await turn(0)
    channel.up = false
    all[1]!.publish(saved(1))
    await turn(100)
    channel.up = true
    all[1]!.publish(saved(2))
    await turn(100)
    expect(heard).toEqual([2])
  })

  test('words about something else are left to others', () => {
    const [node] = nodes('a').all
    expect(node!.heard('1,2,3')).toBe(false)
    expect(node!.heard('changes')).toBe(false)
  })

  test.each(['records {', 'records null', 'records {}', 'records {"changes":7}'])(
    'what nobody of us said, %s, is passed over',
    payload => {
      const [node] = nodes('a').all
      const { heard } = listen(node!)
      expect(node!.heard(payload)).toBe(true)
      expect(heard).toEqual([])
    },
  )
})
