import type { LookupAddress } from 'node:dns'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkAllowRules } from './allow.ts'
import { type AddressGuard, createGuard, type GuardOptions } from './guard.ts'
import type { Resolver } from './names.ts'

const strict = createGuard({ allowLoopback: false, allow: [] })
const refuse = (address: string, guard: AddressGuard = strict) => guard.refuseAddress(address, address, 80)
const refuseUrl = (url: string, guard: AddressGuard = strict) => guard.refuseUrl(new URL(url))
const allowing = (...allow: string[]) => createGuard({ allowLoopback: false, allow })

const special4 = {
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
  loopback: ['127.0.0.1', '127.255.255.254'],
  linkLocal: ['169.254.169.254', '169.254.0.1'],
  metadata: ['168.63.129.16', '100.100.100.200', '192.0.0.192'],
  carrier: ['100.64.0.1', '100.127.255.255'],
  multicast: ['224.0.0.1', '239.255.255.255'],
  broadcast: ['255.255.255.255'],
  unspecified: ['0.0.0.0', '0.1.2.3'],
  benchmark: ['198.18.0.1', '198.19.255.255'],
  documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1'],
  reserved: ['240.0.0.1', '192.0.0.1', '192.88.99.1'],
}
const special6 = [
  ...['::', '::1', '::2', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'fec0::1', 'ff02::1'],
  ...['2001:db8::1', '3fff::1', '2001:2::1', '2001::1', '100::1', '64:ff9b:1::1', '5f00::1', '4000::1', '1::1'],
  ...['2002:808:808::1', '::8.8.8.8', '::ffff:0:8.8.8.8'],
]
const ordinary = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1']

/** An IPv4 address in the IPv6 forms that lead to it. */
function disguises(v4: string): string[] {
  const [a, b, c, d] = v4.split('.').map(Number) as [number, number, number, number]
  const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  return [`::ffff:${v4}`, `::ffff:${hex}`, `::${v4}`, `64:ff9b::${v4}`, `2002:${hex}::1`, `64:ff9b:1::${v4}`]
}

test('every kind of special IPv4 address is refused, in every form that IPv6 has for it', () => {
  for (const address of Object.values(special4).flat()) {
    for (const form of [address, ...disguises(address)]) expect(refuse(form), form).toContain('not an allowed target')
  }
})

test('every kind of special IPv6 address is refused', () => {
  for (const address of special6) expect(refuse(address), address).toContain('not an allowed target')
})

test('ordinary addresses are let through, also where a network translates them to IPv6', () => {
  for (const address of [...ordinary, '64:ff9b::8.8.8.8', '::ffff:1.1.1.1']) expect(refuse(address), address).toBeNull()
})

test('a refusal says what was called and what it is', () => {
  expect(strict.refuseAddress('169.254.169.254', 'x.example', 80)).toBe(
    'x.example (169.254.169.254) is a link-local address, and not an allowed target',
  )
})

test('no spelling of a special address in a URL passes', () => {
  const spellings = [
    '127.0.0.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '127.1',
    '0x7f000001',
    '①②⑦.0.0.1',
    '127.0.0.1.',
  ]
  for (const host of [...spellings, '[::1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:127.0.0.1]']) {
    expect(refuseUrl(`http://${host}/`), host).toContain('is ')
  }
  expect(refuseUrl('http://8.8.8.8/')).toBeNull()
  expect(refuseUrl('https://name.example/')).toBeNull()
})

test('only http and https are called', () => {
  for (const url of ['ftp://a.example/', 'file:///etc/passwd', 'ws://a.example/', 'javascript:1', 'unix:/run/x']) {
    expect(refuseUrl(url)).toBe('only http and https URLs can be called')
    expect(refuseUrl(url, allowing('*'))).toBe('only http and https URLs can be called')
  }
})

test('loopback is allowed where the server itself is on loopback, and nothing else with it', () => {
  const guard = createGuard({ allowLoopback: true, allow: [] })
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(refuse(address, guard)).toBeNull()
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '169.254.169.254']) expect(refuse(address, guard)).not.toBeNull()
})

test('a network, an address, a name and everything can be allowed', () => {
  expect(refuse('10.1.2.3', allowing('10.0.0.0/8'))).toBeNull()
  expect(refuse('::ffff:10.1.2.3', allowing('10.0.0.0/8'))).toBeNull()
  expect(refuse('11.0.0.1', allowing('10.0.0.0/8'))).toBeNull()
  expect(refuse('192.168.0.1', allowing('10.0.0.0/8'))).not.toBeNull()
  expect(refuse('fd00::5', allowing('fd00::/64'))).toBeNull()
  expect(refuse('fd01::5', allowing('fd00::/64'))).not.toBeNull()
  expect(refuse('10.1.2.3', allowing('10.1.2.3'))).toBeNull()
  expect(refuse('10.1.2.4', allowing('10.1.2.3'))).not.toBeNull()
  expect(refuse('::1', allowing('0:0::1'))).toBeNull()
  for (const address of Object.values(special4).flat()) expect(refuse(address, allowing('*'))).toBeNull()
})

test('an allowed name is allowed under that name only, in any case and with the dot of the root', () => {
  const guard = allowing('Billing.internal')
  expect(guard.refuseAddress('10.0.0.1', 'billing.INTERNAL', 80)).toBeNull()
  expect(guard.refuseAddress('10.0.0.1', 'billing.internal.', 80)).toBeNull()
  expect(guard.refuseAddress('10.0.0.1', 'x.billing.internal', 80)).not.toBeNull()
  expect(guard.refuseAddress('10.0.0.1', '10.0.0.1', 80)).not.toBeNull()
})

test('an allowed port is allowed on that port only', () => {
  const guard = allowing('billing:8080', '[::1]:9000', '10.0.0.1:81')
  expect(guard.refuseAddress('10.9.9.9', 'billing', 8080)).toBeNull()
  expect(guard.refuseAddress('10.9.9.9', 'billing', 80)).not.toBeNull()
  expect(refuseUrl('http://[::1]:9000/', guard)).toBeNull()
  expect(refuseUrl('http://[::1]/', guard)).not.toBeNull()
  expect(refuseUrl('http://10.0.0.1:81/', guard)).toBeNull()
  expect(refuseUrl('https://10.0.0.1/', guard)).not.toBeNull()
})

test('an entry that cannot be read is refused by its text', () => {
  for (const entry of [
    '',
    '10.0.0.0/33',
    '10.0.0.256',
    'a b',
    'http://x',
    'x:0',
    'x:99999',
    '*.x',
    '::ffff:10.0.0.0/104',
  ]) {
    expect(checkAllowRules(['10.0.0.0/8', entry]), entry).toContain(`"${entry}" is not`)
    expect(() => allowing(entry), entry).toThrow(/allowed targets: ".*" is not/)
  }
  expect(checkAllowRules(['*', '10.0.0.0/8', 'a-b.c:80', '::1', '[::1]:1', 'localhost'])).toBeNull()
})

test('no text makes the reader of entries throw', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      checkAllowRules([text])
      refuse(text)
    }),
  )
})

function resolving(answer: string[] | Error, options: Partial<GuardOptions> = {}) {
  const resolver: Resolver = (_host, done) => {
    setImmediate(() => {
      if (answer instanceof Error) done(answer, [])
      else
        done(
          null,
          answer.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
        )
    })
  }
  const guard = createGuard({ allowLoopback: false, allow: [], resolver, ...options })
  const resolve = (host: string) =>
    new Promise<string[] | Error>(done => {
      guard.lookup(80)(host, { all: true }, (error, addresses) =>
        done(error ?? (addresses as LookupAddress[]).map(({ address }) => address)),
      )
    })
  return { resolve }
}

test('a name that resolves to special addresses alone is refused', async () => {
  expect(await resolving(['10.0.0.1', '::1']).resolve('x.example')).toMatchObject({
    code: 'address_refused',
    message: 'x.example (10.0.0.1) is a private address, and not an allowed target',
  })
})

test('of several addresses only the allowed ones are used', async () => {
  const { resolve } = resolving(['10.0.0.1', '8.8.8.8', 'fd00::1', '2606:4700::1111'])
  expect(await resolve('x.example')).toEqual(['8.8.8.8', '2606:4700::1111'])
})

test('a name without an address and a failing resolver are errors of the name, not refusals', async () => {
  expect(await resolving([]).resolve('x.example')).toMatchObject({ code: 'ENOTFOUND' })
  const failed = Object.assign(new Error('no'), { code: 'EAI_AGAIN' })
  expect(await resolving(failed).resolve('x.example')).toBe(failed)
})
