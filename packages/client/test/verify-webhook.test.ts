import { describe, expect, test } from 'vitest'
import { newSecret, parseSecret, sign } from '../../server/src/deliver/sign.ts'
import { verifyWebhook, WebhookError } from '../src/index.ts'

const NOW = 1_767_225_600_000
const TIME = String(NOW / 1000)
const [first, second] = [newSecret(), newSecret()]

function signed(secrets: string[], body: string | Buffer, changes: Record<string, string> = {}) {
  const keys = secrets.map(secret => {
    const parsed = parseSecret(secret)
    if (!parsed.ok) throw new Error(parsed.problem)
    return parsed.key
  })
  const { signature } = sign(keys, 'msg_1', TIME, body)
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': TIME, 'webhook-signature': signature, ...changes }
}
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'verified',
    error => (error instanceof WebhookError ? error.code : Promise.reject(error)),
  )

describe('a webhook is verified', () => {
  test('with what the server itself signs', async () => {
    const found = await verifyWebhook(first, signed([first], '{"a":"ü"}'), '{"a":"ü"}', { now: NOW })
    expect(found).toEqual({ id: 'msg_1', timestamp: new Date(NOW) })
  })

  test('as bytes, whatever they are, and when empty', async () => {
    const bytes = Buffer.from([0, 255, 128])
    expect(await codeOf(verifyWebhook(first, signed([first], bytes), bytes, { now: NOW }))).toBe('verified')
    expect(await codeOf(verifyWebhook(first, signed([first], ''), new Uint8Array(), { now: NOW }))).toBe('verified')
  })

  test('with any of several secrets against any of several signatures', async () => {
    const headers = signed([second, first], 'x')
    expect(await codeOf(verifyWebhook(first, headers, 'x', { now: NOW }))).toBe('verified')
    expect(await codeOf(verifyWebhook([newSecret(), second], signed([second], 'x'), 'x', { now: NOW }))).toBe(
      'verified',
    )
  })

  test('from a Headers object as from a plain one', async () => {
    expect(await codeOf(verifyWebhook(first, new Headers(signed([first], 'x')), 'x', { now: NOW }))).toBe('verified')
  })

  test('by the example of the standard', async () => {
    const headers = {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    }
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
    const verified = verifyWebhook(secret, headers, '{"test": 2432232314}', { now: 1_614_265_330_000 })
    expect(await codeOf(verified)).toBe('verified')
  })
})

describe('a webhook is refused', () => {
  test.each([
    ['another body', signed([first], 'x'), 'y', 'signature_wrong'],
    ['another id', signed([first], 'x', { 'webhook-id': 'msg_2' }), 'x', 'signature_wrong'],
    ['another secret', signed([second], 'x'), 'x', 'signature_wrong'],
    ['another version', signed([first], 'x', { 'webhook-signature': 'v2,AAAA' }), 'x', 'signature_wrong'],
    ['no base64', signed([first], 'x', { 'webhook-signature': 'v1,%%%' }), 'x', 'signature_wrong'],
    ['no id', signed([first], 'x', { 'webhook-id': '' }), 'x', 'header_missing'],
    ['a time that is none', signed([first], 'x', { 'webhook-timestamp': '1e9' }), 'x', 'timestamp_invalid'],
  ])('for %s', async (_, headers, body, code) => {
    expect(await codeOf(verifyWebhook(first, headers, body, { now: NOW }))).toBe(code)
  })

  test('when it is too old or too new, to the second', async () => {
    const at = (seconds: number, toleranceSeconds?: number) =>
      codeOf(
        verifyWebhook(first, signed([first], 'x'), 'x', {
          now: NOW + seconds * 1000,
          ...(toleranceSeconds && { toleranceSeconds }),
        }),
      )
    expect([await at(300), await at(301), await at(-300), await at(-301)]).toEqual([
      'verified',
      'timestamp_too_old',
      'verified',
      'timestamp_too_new',
    ])
    expect([await at(11, 10), await at(1000, 1000)]).toEqual(['timestamp_too_old', 'verified'])
  })

  test('for a secret that is none, without telling it', async () => {
    const error = await verifyWebhook('hunter2', signed([first], 'x'), 'x', { now: NOW }).catch(error => error)
    expect(error.code).toBe('secret_invalid')
    expect(error.message).not.toContain('hunter2')
    expect(await codeOf(verifyWebhook([], signed([first], 'x'), 'x', { now: NOW }))).toBe('signature_wrong')
  })
})
