import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { serveAlone } from '../../test/api/serve.ts'

const BOUND = 100_000
const HALF = 60_000

/** A caller that announces a body of so many bytes and sends it when it is told to. */
async function caller(port: number, length: string) {
  const socket: Socket = connect(port, '127.0.0.1').on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', data => {
    text += data
  })
  await once(socket, 'ready')
  socket.write(
    `POST /messages/ HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${length}\r\nexpect: 100-continue\r\n\r\n`,
  )
  const status = (): number[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code))
  return { socket, status, text: () => text }
}

const announcing = (bytes: number): string => `content-length: ${bytes}`

test('requests beyond the bound are refused before their bodies are read, and there is room again when others have ended', async () => {
  const { port, call, state } = await serveAlone({ maxIncomingBytes: BOUND })
  const first = await caller(port, announcing(HALF))
  await expect.poll(first.status).toEqual([100])
  const second = await caller(port, announcing(HALF))
  await expect.poll(second.status).toEqual([100, 503])
  expect(second.text()).toMatch(/"code":"overloaded"/)
  expect(second.text()).toMatch(/retry-after: 1/i)
  expect(second.text()).toMatch(/nothing was stored/)
  expect(state.calls).toEqual([])
  expect((await call('GET', '/health')).status, 'health is always told').toBe(200)
  expect((await call('GET', '/queues/')).status, 'what is small has room').toBe(200)
  first.socket.write(' '.repeat(HALF))
  await expect.poll(first.status).toEqual([100, 400])
  const third = await caller(port, announcing(HALF))
  await expect.poll(third.status).toEqual([100])
})

test('a caller that goes away leaves its room to others', async () => {
  const { port } = await serveAlone({ maxIncomingBytes: BOUND })
  const first = await caller(port, announcing(HALF))
  await expect.poll(first.status).toEqual([100])
  first.socket.destroy()
  const statuses: number[][] = []
  await expect
    .poll(async () => {
      const next = await caller(port, announcing(HALF))
      await expect.poll(() => next.status().length).toBeGreaterThan(0)
      statuses.push(next.status())
      return next.status().includes(503)
    })
    .toBe(false)
})

test('who does not say how much it brings counts with the most that it may bring', async () => {
  const { port } = await serveAlone({ maxIncomingBytes: BOUND })
  const first = await caller(port, announcing(HALF))
  await expect.poll(first.status).toEqual([100])
  const chunked = await caller(port, 'transfer-encoding: chunked')
  await expect.poll(chunked.status).toEqual([100, 503])
})

test('who is alone is served, however large', async () => {
  const { port } = await serveAlone({ maxIncomingBytes: 10 })
  const only = await caller(port, announcing(HALF))
  await expect.poll(only.status).toEqual([100])
  only.socket.write(' '.repeat(HALF))
  await expect.poll(only.status).toEqual([100, 400])
})
