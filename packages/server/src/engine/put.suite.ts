import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { type Fixture, idsOf, type Laws, loadLane, message, put, START } from './fixture.suite.ts'
import type { Body, NewMessage, PutResult } from './port.ts'

const BODIES: Readonly<Record<string, Body>> = {
  none: null,
  empty: '',
  plain: 'hello',
  'the separator of batches': 'a\x01b\x01',
  quotes: `"double", 'single', \`back\``,
  backslashes: 'C:\\new\\table \\x41 \\',
  'array syntax': '{a,"b",NULL}',
  'the word NULL': 'NULL',
  emoji: '🎺 Posthörn ＝ 驛號',
  'line ends and control characters': 'a\r\nb\tc\x02\x7f',
  'no bytes': Buffer.alloc(0),
  'every byte': Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  'text with NUL, as bytes': Buffer.from('a\0b'),
  'a mebibyte': 'x🎺'.repeat(1024 * 1024).slice(0, 1024 * 1024),
}

const sha = (text: string): Buffer => createHash('sha256').update(text).digest()
const HOUR = 3_600_000

const keyed = (key: string, content = 'same', ttlMs = HOUR) => ({
  body: content,
  idempotency: { key, bodyHash: sha(content), ttlMs },
})

const kindsOf = (results: readonly PutResult[]): string[] => results.map(({ kind }) => kind)

/** Kinds that go by different statements, one after the other. */
function mixed(fixture: Fixture, queueId: number, nth: number): NewMessage {
  const kinds: Partial<NewMessage>[] = [
    {},
    { body: Buffer.from([nth & 255]) },
    { headers: `{"n":"${nth}"}` },
    { key: `k${nth % 3}` },
    { body: null },
    { expiresAt: 4_102_444_800_000 },
    { cronId: 7 },
    { idempotency: { key: `mixed ${nth}`, bodyHash: sha(`${nth}`), ttlMs: HOUR } },
  ]
  return message(fixture, queueId, { body: `n${nth}`, ...kinds[nth % kinds.length] })
}

export function putLaws({ fixture, needs }: Laws): void {
  test('no more ids are drawn than there are messages', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [first] = await put(f, queueId, { body: 'a' })
    const more = await put(f, queueId, { body: 'b' }, { body: 'c' })
    expect(more).toEqual([first! + 1, first! + 2])
    expect(await put(f, queueId, { body: 'd' })).toEqual([first! + 3])
  })

  test('ids are given in the order of the input, and that is the order of the lane', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const ids = await put(f, queueId, ...Array.from({ length: 200 }, (_, n) => ({ body: `${n}` })))
    expect(ids).toEqual([...ids].sort((a, b) => a - b))
    const heads = await loadLane(f, queueId)
    expect(idsOf(heads)).toEqual(ids)
    expect(heads.map(head => head.body)).toEqual(Array.from({ length: 200 }, (_, n) => `${n}`))
  })

  test('nothing put is nothing stored', async () => {
    expect(await fixture().engine.put([])).toEqual([])
  })

  test('what is put in one call after another stands behind it', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const ids = [
      ...(await put(f, queueId, {}, {})),
      ...(await put(f, queueId, { key: 'k' })),
      ...(await put(f, queueId, {})),
    ]
    expect(idsOf(await loadLane(f, queueId))).toEqual(ids)
  })

  test.each(Object.entries(BODIES))('a body comes back byte for byte: %s', async (_, body) => {
    const f = fixture()
    const queueId = await f.makeQueue()
    await put(f, queueId, { body })
    expect((await loadLane(f, queueId))[0]!.body).toEqual(body)
  })

  test('bodies of every kind come back from one batch', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const bodies = Object.values(BODIES)
    await put(f, queueId, ...bodies.map(body => ({ body })))
    const heads = await loadLane(f, queueId)
    expect(heads.map(head => head.body)).toEqual(bodies)
    expect(heads.every(head => !head.lost)).toBe(true)
  })

  test('of a batch, each message has its own headers, and those without have none', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const headers = [null, '{"a":"b"}', null, '{}', '{"q":"\\"\\\\,{}é","s":"\\u0001"}', null]
    await put(f, queueId, ...headers.map(one => ({ headers: one })))
    expect((await loadLane(f, queueId)).map(head => head.headers)).toEqual(headers)
  })

  test('headers, key, priority and expiry come back', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const given = { headers: '{"x-quoted":"a \\"b\\" \\\\c"}', key: 'NULL', expiresAt: 4_102_444_800_123 }
    const [id] = await put(f, queueId, { ...given, priority: 4 })
    const [head] = await loadLane(f, queueId, START, 1, 4)
    expect(head).toMatchObject({
      id,
      orgId: f.orgId,
      queueId,
      ...given,
      lane: 4,
      attempts: 0,
      forgiven: 0,
      dueAt: null,
    })
  })

  test('a message due in the past is ready at once and keeps its time', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const past = (await f.now()) - 5000
    const [id] = await put(f, queueId, { dueAt: past })
    expect(idsOf(await loadLane(f, queueId))).toEqual([id])
    expect(await f.live(id!)).toMatchObject({ dueAt: null, scheduledAt: past })
  })

  test('a fraction of a millisecond is waited for, not kept', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const soon = Math.floor(await f.now()) + HOUR
    const [id] = await put(f, queueId, { dueAt: soon + 0.25 })
    expect((await f.live(id!))!.dueAt).toBe(soon + 1)
  })

  test('500 messages of mixed kinds are stored in one call, in order', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const messages = Array.from({ length: 500 }, (_, nth) => mixed(f, queueId, nth))
    const results = await f.engine.put(messages)
    expect(new Set(kindsOf(results))).toEqual(new Set(['stored']))
    const heads = await loadLane(f, queueId)
    expect(idsOf(heads)).toEqual(idsOf(results))
    expect(heads.map(({ body, headers, key }) => ({ body, headers, key }))).toEqual(
      messages.map(({ body, headers, key }) => ({ body, headers, key })),
    )
  })

  test('everything of one call has one transaction id, later than that of the call before', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const xids = async (count: number) =>
      (await f.engine.put(Array.from({ length: count }, () => message(f, queueId)))).map(
        result => result.kind === 'stored' && result.xid,
      )
    const [before, after] = [await xids(3), await xids(2)]
    expect(new Set(before).size).toBe(1)
    expect(new Set(after).size).toBe(1)
    expect(after[0]).toBeGreaterThan(before[0] as number)
  })

  idempotencyLaws({ fixture, needs })
}

function idempotencyLaws({ fixture, needs }: Laws): void {
  test('a repeated key gives the first message and stores nothing', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [first] = await put(f, queueId, keyed('order 1'))
    const again = await f.engine.put([message(f, queueId, keyed('order 1')), message(f, queueId)])
    expect(again).toMatchObject([{ kind: 'repeated', id: first }, { kind: 'stored' }])
    expect(idsOf(await loadLane(f, queueId))).toEqual([first, again[1]!.id])
  })

  test('a key with other content is a conflict, and stores nothing', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [first] = await put(f, queueId, keyed('order 1'))
    expect(await f.engine.put([message(f, queueId, keyed('order 1', 'other'))])).toEqual([
      { kind: 'conflict', id: first },
    ])
    expect(idsOf(await loadLane(f, queueId))).toEqual([first])
  })

  test('keys of different queues have nothing to do with each other', async () => {
    const f = fixture()
    const [a, b] = [await f.makeQueue(), await f.makeQueue()]
    const both = await f.engine.put([message(f, a, keyed('k')), message(f, b, keyed('k'))])
    expect(kindsOf(both)).toEqual(['stored', 'stored'])
  })

  test('an expired key is free again', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [first] = await put(f, queueId, keyed('k', 'same', 1000))
    await f.pass(1001)
    const [second] = await f.engine.put([message(f, queueId, keyed('k', 'other', 1000))])
    expect(second!.kind).toBe('stored')
    expect(second!.id).not.toBe(first)
    expect(await f.engine.put([message(f, queueId, keyed('k', 'other', 1000))])).toEqual([
      { kind: 'repeated', id: second!.id },
    ])
  })

  test('of the same key several times in one batch the first is stored, the others follow from it', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [first, same, other] = await f.engine.put(
      [keyed('k'), keyed('k'), keyed('k', 'other')].map(more => message(f, queueId, more)),
    )
    expect(first!.kind).toBe('stored')
    expect(same).toEqual({ kind: 'repeated', id: first!.id })
    expect(other).toEqual({ kind: 'conflict', id: first!.id })
    expect(await loadLane(f, queueId)).toHaveLength(1)
  })

  test('a key that was used before is judged by its first message, however often one batch has it', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const [first] = await put(f, queueId, keyed('k'))
    const batch = [keyed('k', 'other'), keyed('k'), keyed('k', 'other')].map(more => message(f, queueId, more))
    expect(await f.engine.put(batch)).toEqual([
      { kind: 'conflict', id: first },
      { kind: 'repeated', id: first },
      { kind: 'conflict', id: first },
    ])
  })

  needs('transactions', 'the same key from two connections at once is stored once', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const one = await f.begin()
    const [first] = await one.engine.put([message(f, queueId, keyed('k'))])
    const second = f.engine.put([message(f, queueId, keyed('k'))])
    await one.awaited()
    await one.commit()
    expect(await second).toEqual([{ kind: 'repeated', id: first!.id }])
    expect(await loadLane(f, queueId)).toHaveLength(1)
  })

  needs('transactions', 'a key whose first put is rolled back goes to the one that waited for it', async () => {
    const f = fixture()
    const queueId = await f.makeQueue()
    const one = await f.begin()
    await one.engine.put([message(f, queueId, keyed('k'))])
    const second = f.engine.put([message(f, queueId, keyed('k'))])
    await one.awaited()
    await one.rollback()
    expect(kindsOf(await second)).toEqual(['stored'])
    expect(await loadLane(f, queueId)).toHaveLength(1)
  })
}
