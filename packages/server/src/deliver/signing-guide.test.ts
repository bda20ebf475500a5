import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseSecret, sign } from './sign.ts'

const guide = readFileSync(new URL('../../../../docs/guides/signing.md', import.meta.url), 'utf8')
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const OTHER = `whsec_${Buffer.alloc(24, 8).toString('base64')}`

test('the few lines of the guide take what we sign, by either secret, and nothing else', async () => {
  const code = [...guide.matchAll(/^```js\n([\s\S]*?)^```$/gm)]
    .map(([, text]) => text!)
    .find(text => /isSigned/.test(text))
  const module = `data:text/javascript,${encodeURIComponent(`${code}\nexport { isSigned }`)}`
  const { isSigned } = await import(/* @vite-ignore */ module)
  const keys = [OTHER, SECRET].map(secret => {
    const read = parseSecret(secret)
    if (!read.ok) throw new Error(read.problem)
    return read.key
  })
  const time = `${Math.floor(Date.now() / 1000)}`
  const old = `${Number(time) - 400}`
  const headersAt = (timestamp: string) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': timestamp,
    'webhook-signature': sign(keys, 'msg_1', timestamp, 'grüße').signature,
  })
  expect(isSigned(SECRET, headersAt(time), Buffer.from('grüße'))).toBe(true)
  expect(isSigned(OTHER, headersAt(time), Buffer.from('grüße'))).toBe(true)
  expect(isSigned(`whsec_${Buffer.alloc(32, 9).toString('base64')}`, headersAt(time), Buffer.from('grüße'))).toBe(false)
  expect(isSigned(SECRET, headersAt(time), Buffer.from('grüsse'))).toBe(false)
  expect(isSigned(SECRET, { ...headersAt(time), 'webhook-id': 'msg_2' }, Buffer.from('grüße'))).toBe(false)
  expect(isSigned(SECRET, headersAt(old), Buffer.from('grüße'))).toBe(false)
  expect(isSigned(SECRET, {}, Buffer.from('grüße'))).toBe(false)
})
