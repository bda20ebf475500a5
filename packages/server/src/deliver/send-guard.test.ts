import { expect, test } from 'vitest'
import { createGuard } from './guard.ts'
import type { Resolver } from './names.ts'
import { receiver, sender } from './receivers.suite.ts'

const to = (...addresses: string[]): Resolver => {
  return (_, done) =>
    done(
      null,
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
}
const strict = (resolver?: Resolver) => createGuard({ allowLoopback: false, allow: [], ...(resolver && { resolver }) })

test('a literal address that is special is refused before anything is sent', async () => {
  const target = await receiver()
  const outcome = await sender({ guard: strict() }).attempt(target.url)
  expect(outcome).toMatchObject({ kind: 'refused', errorCode: 'address_refused', status: null })
  expect(outcome.error).toContain('127.0.0.1 is a loopback address')
  expect(target.connections()).toBe(0)
})

test('a name that leads to a special address is refused before anything is sent', async () => {
  const target = await receiver()
  const { attempt } = sender({ guard: strict(to('127.0.0.1')) })
  const outcome = await attempt(`http://innocent.example:${target.port}/`)
  expect(outcome).toMatchObject({ kind: 'refused', errorCode: 'address_refused' })
  expect(outcome.error).toContain('innocent.example (127.0.0.1)')
  expect(target.connections()).toBe(0)
})

test('only addresses that were judged are connected to, however many a name has', async () => {
  const target = await receiver()
  const guard = createGuard({
    allowLoopback: false,
    allow: ['127.0.0.1'],
    resolver: to('10.0.0.1', '127.0.0.1', '::1'),
  })
  const outcome = await sender({ guard }).attempt(`http://mixed.example:${target.port}/`)
  expect(outcome.kind).toBe('delivered')
  expect(target.received[0]?.headers.host).toBe(`mixed.example:${target.port}`)
})

test('a name is judged anew for every connection: it cannot change its mind in between', async () => {
  const target = await receiver(response => response.writeHead(204, { connection: 'close' }).end())
  let asked = 0
  const resolver: Resolver = (host, done) => to(++asked === 1 ? '127.0.0.1' : '10.0.0.1')(host, done)
  const guard = createGuard({ allowLoopback: true, allow: [], resolver })
  const { attempt } = sender({ guard })
  const url = `http://rebinding.example:${target.port}/`
  expect((await attempt(url)).kind).toBe('delivered')
  expect((await attempt(url)).kind).toBe('refused')
  expect(asked).toBe(2)
})

test('a peer that is not the judged address is refused when the connection stands', async () => {
  const target = await receiver()
  let judged = 0
  const base = createGuard({ allowLoopback: true, allow: [] })
  // A guard that lets the address through when it resolves it, and sees what it is only afterwards.
  const guard = { ...base, refuseUrl: () => null, refuseAddress: () => (++judged > 0 ? 'it moved' : null) }
  const outcome = await sender({ guard }).attempt(target.url)
  expect(outcome).toMatchObject({ kind: 'refused', error: 'it moved' })
  expect(judged).toBe(1)
  expect(target.received).toHaveLength(0)
})

test('no redirect leads to a special address', async () => {
  const inner = await receiver()
  const outer = await receiver(response => response.writeHead(307, { location: inner.url }).end())
  const guard = createGuard({ allowLoopback: false, allow: [`127.0.0.1:${outer.port}`] })
  const outcome = await sender({ guard }).attempt(outer.url, { followRedirects: true })
  expect(outcome).toMatchObject({ kind: 'refused', errorCode: 'address_refused' })
  expect(inner.connections()).toBe(0)
})
