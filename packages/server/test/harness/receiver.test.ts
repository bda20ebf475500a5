import { request as httpRequest } from 'node:http'
import { Pool } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { close, failFirst, hang, mix, ok, Receiver, seededRandom, slow, status, trickle } from './receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await Receiver.start()
})
afterEach(() => receiver.stop())

function post(path: string, id: string, body = 'x', signal?: AbortSignal): Promise<number> {
  return fetch(receiver.url + path, {
    method: 'POST',
    headers: { 'webhook-id': id },
    body,
    ...(signal && { signal }),
  }).then(async response => {
    await response.arrayBuffer()
    return response.status
  })
}

describe('the receiver', () => {
  test('remembers what came, in order, with its body and how often it had come', async () => {
    await post('/a', 'm1', 'first')
    await post('/b', 'm2', 'second')
    await post('/a', 'm1', 'first')
    expect(
      receiver.arrivals.map(({ order, path, id, body, repeats, status }) => [
        order,
        path,
        id,
        `${body}`,
        repeats,
        status,
      ]),
    ).toEqual([
      [0, '/a', 'm1', 'first', 0, 200],
      [1, '/b', 'm2', 'second', 0, 200],
      [2, '/a', 'm1', 'first', 1, 200],
    ])
    expect(receiver.at('/b')).toHaveLength(1)
  })

  test('fails the first attempts of each message and then accepts it', async () => {
    receiver.on('/a', failFirst(2, 503))
    expect([await post('/a', 'm1'), await post('/a', 'm1'), await post('/a', 'm2'), await post('/a', 'm1')]).toEqual([
      503, 503, 503, 200,
    ])
  })

  test('hangs, closes, trickles and is slow as told', async () => {
    receiver.on('/hang', hang)
    receiver.on('/close', close)
    receiver.on('/trickle', trickle(5))
    receiver.on('/slow', slow(50))
    receiver.on('/teapot', status(418))
    await expect(post('/hang', 'm1', 'x', AbortSignal.timeout(50))).rejects.toThrow()
    await expect(post('/close', 'm2')).rejects.toThrow()
    await expect(post('/trickle', 'm3', 'x', AbortSignal.timeout(80))).rejects.toThrow()
    const start = performance.now()
    expect(await post('/slow', 'm4')).toBe(200)
    expect(performance.now() - start).toBeGreaterThan(45)
    expect(await post('/teapot', 'm5')).toBe(418)
    expect(receiver.at('/hang')[0]?.answeredAt).toBeUndefined()
  })

  test('an answer that its sender no longer hears does not count as given', async () => {
    receiver.on('/slow', slow(60))
    await expect(post('/slow', 'm1', 'x', AbortSignal.timeout(20))).rejects.toThrow()
    await post('/slow', 'm2')
    expect(receiver.arrivals.map(({ status }) => status)).toEqual([undefined, 200])
  })

  test('a seed chooses the same behaviours again', () => {
    const parts = [
      { weight: 3, behaviour: ok },
      { weight: 1, behaviour: status(500) },
    ]
    const play = (): unknown[] => {
      const behaviour = mix(7, parts)
      return Array.from({ length: 50 }, () => behaviour(receiver.arrivals[0] as never))
    }
    expect(play()).toEqual(play())
    expect(new Set(play().map(reaction => JSON.stringify(reaction))).size).toBe(2)
    expect(seededRandom(1)()).not.toBe(seededRandom(2)())
  })

  test('waiting ends with the arrival, or with a sentence', async () => {
    const waiting = receiver.waitForArrivals(1)
    await post('/a', 'm1')
    await waiting
    await expect(receiver.waitForArrivals(2, 20)).rejects.toThrow('2 arrivals')
  })

  test('counts its open connections', async () => {
    const request = httpRequest(`${receiver.url}/a`, { method: 'POST' })
    request.on('error', () => {})
    request.write('half')
    await expect.poll(() => receiver.connections).toBe(1)
    request.destroy()
    await expect.poll(() => receiver.connections).toBe(0)
  })

  test('keeps up with a fast sender', async () => {
    const pool = new Pool(receiver.url, { connections: 20, pipelining: 1 })
    const start = performance.now()
    const send = async (): Promise<void> => {
      for (let i = 0; i < 250; i++) {
        const { body } = await pool.request({ path: '/a', method: 'POST', headers: { 'webhook-id': 'm' }, body: 'x' })
        await body.dump()
      }
    }
    await Promise.all(Array.from({ length: 20 }, send))
    await pool.close()
    expect(receiver.arrivals).toHaveLength(5000)
    expect(5000 / ((performance.now() - start) / 1000), 'requests a second, sender included').toBeGreaterThan(1500)
  })
})
