import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../log.ts'
import { createGuard } from './guard.ts'
import { type Lane, Origins } from './origins.ts'
import { onRequests, rawReceiver, receiver, sender } from './receivers.suite.ts'

const handles = () => process.getActiveResourcesInfo().filter(name => /TCP|TLS|Timeout|GetAddrInfo/.test(name)).length

test('a thousand attempts with every kind of end leave no socket, timer or listener behind', async () => {
  const before = handles()
  const warnings: Error[] = []
  const warn = (warning: Error): void => void warnings.push(warning)
  process.on('warning', warn)
  const good = await receiver(response => response.writeHead(200).end('ok'))
  const closing = await receiver(response => response.writeHead(204, { connection: 'close' }).end())
  const broken = await rawReceiver(socket => onRequests(socket, () => socket.destroy()))
  const hung = await rawReceiver(() => {})
  const { attempt, stop } = sender({ connectionsPerOrigin: 8 })
  const listening = handles()

  const kinds = [good, closing, broken, hung, { url: 'http://10.0.0.1/' }]
  const outcomes = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => attempt(kinds[i % 5]!.url, { timeoutMs: i % 5 === 3 ? 200 : 10_000 })),
  )
  const count = (code: string | null) => outcomes.filter(({ errorCode }) => errorCode === code).length
  expect([count(null), count('reset'), count('address_refused'), count('timeout') + count('busy')]).toEqual([
    400, 200, 200, 200,
  ])

  await stop(1000)
  for (const target of [good, closing, broken, hung]) await expect.poll(target.open).toBe(0)
  await expect.poll(handles).toBeLessThanOrEqual(listening)
  expect(listening - before).toBeGreaterThanOrEqual(4)
  expect(warnings).toEqual([])
  process.off('warning', warn)
})

test('a kept connection gathers no listeners', async () => {
  const target = await receiver()
  const { attempt } = sender({ connectionsPerOrigin: 1 })
  const sockets: Socket[] = []
  const connected = (message: unknown): void => {
    sockets.push((message as { socket: Socket }).socket)
  }
  subscribe('undici:client:connected', connected)
  await attempt(target.url)
  const [socket] = sockets
  const counts = () => socket!.eventNames().map(name => `${String(name)}: ${socket!.listenerCount(name)}`)
  const before = counts()
  for (let i = 0; i < 1000; i++) await attempt(target.url)
  unsubscribe('undici:client:connected', connected)
  expect(counts()).toEqual(before)
  expect(sockets).toHaveLength(1)
})

const options = {
  clock: systemClock,
  guard: createGuard({ allowLoopback: true, allow: [] }),
  connectionsPerOrigin: 2,
  maxOrigins: 3,
  maxSockets: 100,
  idleMs: 50,
  connectTimeoutMs: 1000,
  ca: undefined,
}
const targetOf = (n: number) => ({
  key: `1 http://127.0.0.1:${n}`,
  origin: `http://127.0.0.1:${n}`,
  secure: false,
  host: '127.0.0.1',
  port: n,
  path: '/',
})

function take(origins: Origins, n: number): Lane {
  const taken: Lane[] = []
  origins.acquire(targetOf(n), { settled: false, go: lane => taken.push(lane) })
  return taken[0]!
}

test('of too many origins the one idle for longest goes, one in use never', async () => {
  const origins = new Origins({ ...options, idleMs: 60_000 })
  const used = take(origins, 1)
  for (let n = 2; n <= 10; n++) origins.release(take(origins, n))
  expect(origins.size).toBe(3)
  expect(take(origins, 10).client.destroyed).toBe(false)
  expect(used.client.destroyed).toBe(false)
  for (let n = 11; n <= 14; n++) take(origins, n)
  expect(origins.size).toBeGreaterThan(3)
  await origins.stop()
})

test('an origin that nobody calls is closed after its time', async () => {
  const target = await receiver()
  const { attempt } = sender({ idleOriginMs: 50, log: silentLog })
  await attempt(target.url)
  expect(target.open()).toBe(1)
  await expect.poll(target.open).toBe(0)
  expect((await attempt(target.url)).kind).toBe('delivered')
})

test('of too many connections the idle ones go, the longest idle first, and none that is in use', async () => {
  const origins = new Origins({ ...options, idleMs: 60_000, maxOrigins: 100, maxSockets: 4 })
  const used = take(origins, 1)
  const [second, third, fourth] = [take(origins, 2), take(origins, 3), take(origins, 4)]
  origins.release(third)
  origins.release(second)
  take(origins, 5)
  expect(origins.lanes).toBe(4)
  expect([used, second, third, fourth].map(({ client }) => client.destroyed)).toEqual([false, false, true, false])
  const besideIt = take(origins, 1)
  expect(second.client.destroyed).toBe(true)
  origins.release(used)
  take(origins, 6)
  expect([used, besideIt].map(({ client }) => client.destroyed)).toEqual([true, false])
  expect(origins.lanes).toBe(4)
  await origins.stop()
})

test('two orgs share no connection, one org does with itself', async () => {
  const target = await receiver()
  const { attempt } = sender()
  await attempt(target.url, { orgId: 1 })
  await attempt(target.url, { orgId: 1 })
  expect(target.connections()).toBe(1)
  await attempt(target.url, { orgId: 2 })
  expect(target.connections()).toBe(2)
})
