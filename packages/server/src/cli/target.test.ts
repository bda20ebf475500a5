import { createHmac } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { signingSecret } from '../../test/leaks/marked.ts'
import { startTarget, type Target, type TargetOptions, type TargetRequest } from './receiver.ts'
import { describe as describeRequest, readDuration } from './target.ts'

const secret = signingSecret()
let target: Target
afterEach(() => target.stop())

async function open(options: TargetOptions): Promise<TargetRequest[]> {
  const seen: TargetRequest[] = []
  target = await startTarget({ port: 0, seen: request => seen.push(request), ...options })
  return seen
}

async function post(body: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${target.url}/hook`, { method: 'POST', body, headers })
  await response.arrayBuffer()
  return response.status
}

function signed(body: string, at = Date.now(), key = secret): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000))
  const hmac = createHmac('sha256', Buffer.from(key.slice('whsec_'.length), 'base64'))
  const signature = hmac.update(`msg_1.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

describe('posthorn target', () => {
  test('shows method, path, id, headers and body, and counts', async () => {
    const seen = await open({})
    expect(await post('{"hello":"world"}', { 'webhook-id': 'msg_7', 'x-tag': 'blue' })).toBe(200)
    expect(target.count).toBe(1)
    const text = describeRequest(seen[0] as TargetRequest)
    expect(text).toContain('POST /hook  msg_7  → 200')
    expect(text).toContain('x-tag: blue')
    expect(text).toContain('{"hello":"world"}')
    expect(text).not.toContain('host:')
  })

  test('answers with its statuses in turn', async () => {
    await open({ statuses: [500, 503, 200] })
    expect([await post('a'), await post('b'), await post('c'), await post('d')]).toEqual([500, 503, 200, 500])
  })

  test('fails every n-th request', async () => {
    await open({ failEvery: 3 })
    expect([await post('a'), await post('b'), await post('c'), await post('d')]).toEqual([200, 200, 500, 200])
  })

  test('waits before it answers, and hangs when told', async () => {
    await open({ delayMs: 60 })
    const start = performance.now()
    await post('a')
    expect(performance.now() - start).toBeGreaterThan(55)
    await target.stop()
    const seen = await open({ hang: true })
    await expect(fetch(target.url, { signal: AbortSignal.timeout(60) })).rejects.toThrow()
    expect(seen[0]?.status).toBeNull()
  })

  test('tells a right signature from a wrong, an old and a missing one', async () => {
    const seen = await open({ secret })
    expect(await post('a', signed('a'))).toBe(200)
    expect(await post('tampered', signed('a'))).toBe(401)
    expect(await post('a', signed('a', Date.now() - 3_600_000))).toBe(401)
    expect(await post('a')).toBe(401)
    expect(await post('', signed(''))).toBe(200)
    expect(seen.map(({ signature }) => signature)).toEqual(['valid', 'wrong', 'too old', 'missing', 'valid'])
  })

  test('one of several signatures is enough, as while a secret is being replaced', async () => {
    await open({ secret })
    const now = signed('a')
    const other = signed('a', Date.now(), signingSecret())
    const both = `${other['webhook-signature']} ${now['webhook-signature']}`
    expect(await post('a', { ...now, 'webhook-signature': both })).toBe(200)
  })

  test('refuses a malformed secret without repeating it', async () => {
    await open({})
    await expect(startTarget({ port: 0, secret: 'hunter2' })).rejects.toThrow(/^(?!.*hunter2).*whsec_/)
  })

  test('a body that is not text is counted, not printed', async () => {
    const seen = await open({})
    await fetch(target.url, { method: 'POST', body: Buffer.from([0xff, 0xfe, 0x00]) })
    expect(describeRequest(seen[0] as TargetRequest)).toContain('3 bytes that are not text')
  })

  test('reads times as people write them', async () => {
    await open({})
    expect([readDuration('250ms'), readDuration('2s'), readDuration('1.5m')]).toEqual([250, 2000, 90_000])
    expect(() => readDuration('2')).toThrow('250ms')
  })
})
