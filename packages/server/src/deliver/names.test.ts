import type { LookupAddress, RecordWithTtl } from 'node:dns'
import { expect, test } from 'vitest'
import { VirtualTime } from '../../test/simulation/virtual-time.ts'
import { type DnsQueries, dnsTtl } from './name-ttl.ts'
import { createNames, type NamesOptions } from './names.ts'

type TtlAnswer = Parameters<NonNullable<NamesOptions['ttl']>>[2]

const v4 = (address: string): LookupAddress => ({ address, family: 4 })

/** Names whose lookups take `tookMs`, and whose TTL is told when the test says so. */
function room(options: { readonly tookMs?: number; readonly failing?: boolean; readonly capacity?: number } = {}) {
  const time = new VirtualTime()
  const asked: string[] = []
  const ttls: TtlAnswer[] = []
  let address = '192.0.2.1'
  const failure = Object.assign(new Error('no'), { code: 'EAI_AGAIN' })
  const resolve = createNames({
    clock: { now: () => time.now, monotonic: () => time.now, setTimer: (run, ms) => time.at(ms, run) },
    ttl: (_host, _addresses, done) => ttls.push(done),
    lookup(host, done) {
      asked.push(host)
      time.at(options.tookMs ?? 1, () => (options.failing ? done(failure, []) : done(null, [v4(address)])))
    },
    ...(options.capacity !== undefined && { capacity: options.capacity }),
  })
  const ask = (host: string): Promise<string> =>
    new Promise(done => resolve(host, (error, found) => done(error?.message ?? found[0]!.address)))
  const after = async (ms: number, host = 'a.example'): Promise<string> => {
    let isLater = false
    time.at(ms, () => {
      isLater = true
    })
    await time.run(ms, () => isLater)
    let answer: string | null = null
    void ask(host).then(found => {
      answer = found
    })
    // Something always comes, so that what is kept can be answered too.
    time.at(0, () => {})
    await time.run(60_000, () => answer !== null)
    return answer!
  }
  return { asked, ttls, after, ask, time, moveTo: (to: string) => (address = to) }
}

test('a name is kept for its TTL, and no longer', async () => {
  const { asked, ttls, after, moveTo } = room()
  expect(await after(0)).toBe('192.0.2.1')
  ttls[0]!(20)
  moveTo('192.0.2.2')
  expect(await after(19_000)).toBe('192.0.2.1')
  expect(asked).toHaveLength(1)
  expect(await after(1100)).toBe('192.0.2.2')
  expect(asked).toHaveLength(2)
})

test('a name of TTL 0 is asked for each time', async () => {
  const { asked, ttls, after } = room()
  for (const nth of [0, 1, 2]) {
    await after(0)
    ttls[nth]!(0)
  }
  expect(asked).toHaveLength(3)
})

test('a name that the DNS does not know is kept for a second: /etc/hosts may change', async () => {
  const { asked, ttls, after } = room()
  await after(0)
  ttls[0]!(null)
  await after(900)
  expect(asked).toHaveLength(1)
  await after(200)
  expect(asked).toHaveLength(2)
})

test('nothing is kept for longer than a minute', async () => {
  const { asked, ttls, after } = room()
  await after(0)
  ttls[0]!(86_400)
  await after(59_000)
  expect(asked).toHaveLength(1)
  await after(2000)
  expect(asked).toHaveLength(2)
})

test('a TTL that comes when the name has been asked for again is not believed', async () => {
  const { ttls, after, moveTo } = room()
  await after(0)
  moveTo('192.0.2.2')
  expect(await after(2000)).toBe('192.0.2.2')
  ttls[0]!(30)
  expect(await after(500)).toBe('192.0.2.2')
})

test('a name that cannot be resolved rests for a second at least, and for four times as long as its lookup took', async () => {
  const quick = room({ failing: true })
  expect(await quick.after(0)).toBe('no')
  expect(await quick.after(900)).toBe('no')
  expect(quick.asked).toHaveLength(1)
  await quick.after(200)
  expect(quick.asked).toHaveLength(2)
  const slow = room({ failing: true, tookMs: 5000 })
  await slow.after(0)
  await slow.after(19_900)
  expect(slow.asked).toHaveLength(1)
  await slow.after(200)
  expect(slow.asked).toHaveLength(2)
})

test('callers that ask at the same time share one lookup', async () => {
  const { asked, ask, time } = room()
  const answers = Promise.all([ask('a.example'), ask('a.example'), ask('b.example')])
  await time.run(10, () => false)
  expect(await answers).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1'])
  expect(asked).toEqual(['a.example', 'b.example'])
})

test('more names than are kept push the oldest out', async () => {
  const { asked, after } = room({ capacity: 2 })
  for (const host of ['a', 'b', 'c']) await after(0, host)
  await after(0, 'b')
  expect(asked).toEqual(['a', 'b', 'c'])
  await after(0, 'a')
  expect(asked).toEqual(['a', 'b', 'c', 'a'])
})

function dns(records: RecordWithTtl[], code?: string) {
  const queries: string[] = []
  const answer =
    (kind: string) => (host: string, _: unknown, done: (error: Error | null, all: RecordWithTtl[]) => void) => {
      queries.push(`${kind} ${host}`)
      done(code === undefined ? null : Object.assign(new Error('no'), { code }), records)
    }
  let opened = 0
  const open = (): DnsQueries => {
    opened += 1
    return { resolve4: answer('A'), resolve6: answer('AAAA') }
  }
  const ttl = dnsTtl(open)
  const of = (host: string, ...addresses: LookupAddress[]) =>
    new Promise<number | null>(done => ttl(host, addresses, done))
  return { of, queries, opened: () => opened }
}

test('the TTL is the least of the records of all addresses, asked for the families that there are', async () => {
  const { of, queries } = dns([
    { address: '192.0.2.1', ttl: 30 },
    { address: '192.0.2.2', ttl: 20 },
    { address: '192.0.2.3', ttl: 5 },
  ])
  expect(await of('a.example', v4('192.0.2.1'), v4('192.0.2.2'))).toBe(20)
  expect(queries).toEqual(['A a.example'])
  expect(await of('a.example', v4('192.0.2.1'), { address: '2001:db8::1', family: 6 })).toBe(null)
  expect(queries).toEqual(['A a.example', 'A a.example', 'AAAA a.example'])
})

test('an address that the DNS does not give has no TTL: it is from /etc/hosts or another name', async () => {
  expect(await dns([{ address: '192.0.2.1', ttl: 30 }]).of('a.example', v4('10.0.0.1'))).toBe(null)
})

test('what cannot be a name of the DNS is not asked of it', async () => {
  const { of, queries } = dns([])
  for (const host of ['localhost', 'receiver', 'my.localhost', 'printer.local', 'printer.local.'])
    expect(await of(host, v4('127.0.0.1'))).toBe(null)
  expect(queries).toEqual([])
  await of('local.example', v4('127.0.0.1'))
  expect(queries).toEqual(['A local.example'])
})

test('servers that are silent are looked up in the configuration anew', async () => {
  const { of, opened } = dns([], 'ETIMEOUT')
  await of('a.example', v4('192.0.2.1'))
  await of('a.example', v4('192.0.2.1'))
  expect(opened()).toBe(2)
})
