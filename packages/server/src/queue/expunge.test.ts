import { beforeEach, expect, test } from 'vitest'
import { describePostgres, eachDatabase, openFresh } from '../../test/databases.ts'
import { run, settleAs, startHistoryOver, whatIsThere } from '../../test/history.ts'
import { openRoom, type Room } from '../../test/queue-room.ts'
import { migrate } from '../db/migrate.ts'
import type { Database } from '../db/port.ts'
import { silentLog } from '../log.ts'

const ANNA = 'anna@example.com'
const caller = { orgId: 1 }

eachDatabase('expunging', open => {
  let room: Room

  beforeEach(async () => {
    await startHistoryOver(open())
    room = openRoom(open())
  })

  const put = (more: object = {}) =>
    room.messages.put(caller, { queueId: 1, body: ANNA, headers: { 'x-to': ANNA }, key: ANNA, ...more })
  const get = (id: number) => room.messages.get(caller, { id })
  const expunge = (id: number) => room.messages.expunge(caller, { id })

  test('the content of a delivered message is in no table any more; what became of it stays', async () => {
    const before = await put({ idempotencyKey: 'k' })
    await settleAs(open(), 'delivered', [before.id])
    await run(open(), 'UPDATE posthorn.attempt SET excerpt = $1', [`Dear ${ANNA}`])
    const settled = await get(before.id)
    const after = await expunge(before.id)
    expect(after).toEqual({ ...settled, body: null, headers: null, key: null, expungedAt: expect.any(String) })
    expect(await get(before.id)).toEqual(after)
    expect(await everythingAbout(open())).not.toContain('anna')
    const { items } = await room.attempts.ofMessage(caller, listOf(before.id))
    expect(items).toMatchObject([{ n: 1, status: 500, outcome: 'delivered', excerpt: null }])
    expect(await run(open(), 'SELECT body_hash AS h FROM posthorn.idempotency')).toEqual([{ h: Buffer.alloc(0) }])
  })

  test.each(['pending', 'delayed', 'paused'])('a %s message is cancelled, and its owner hears of it', async kind => {
    if (kind === 'paused') await room.queues.pause(caller, { id: 1 })
    const { id } = await put(kind === 'delayed' ? { when: '2099-01-01' } : {})
    const heard = room.changes()
    expect(await expunge(id)).toMatchObject({ status: 'cancelled', reason: 'expunged', body: null, key: null })
    expect(room.changes()).toBe(heard + 1)
    const noted = await run(open(), `SELECT message_id AS id FROM posthorn.change WHERE kind = 'message'`)
    expect(noted).toEqual([{ id }])
    expect(await everythingAbout(open())).not.toContain('anna')
  })

  test('one that is in flight is cancelled, and what its receiver says is not recorded', async () => {
    const [one, other] = [await put(), await put({ queueId: 2, key: null })]
    const [delivered, failed] = [settlementOf(one, 'delivered'), settlementOf(other, 'dead')]
    await expunge(one.id)
    await expunge(other.id)
    await room.engine.settle([delivered], false)
    await room.engine.settle([failed], false)
    for (const { id } of [one, other]) {
      expect(await get(id)).toMatchObject({ status: 'cancelled', reason: 'expunged', attempts: 0 })
      const { items } = await room.attempts.ofMessage(caller, listOf(id))
      expect(items).toMatchObject([{ n: 1, status: 200, excerpt: null }])
    }
    expect(await everythingAbout(open())).not.toContain('anna')
  })

  test.each(['origin', 'dead letter'])(
    'a message goes with its dead letters, whichever is named: the %s',
    async named => {
      const { id } = await put()
      await settleAs(open(), 'dead', [id])
      const [letter] = (await whatIsThere(open())).live as [number]
      // Its headers alone are changed, so that it has a copy of the body of its own.
      await room.messages.update(caller, { id: letter, headers: { a: 'b' } })
      const neighbour = await put({ body: 'other', headers: null, key: null })
      await expunge(named === 'origin' ? id : letter)
      expect(await get(id)).toMatchObject({
        status: 'dead',
        reason: 'expunged',
        body: null,
        expungedAt: expect.any(String),
      })
      expect(await get(letter)).toMatchObject({ status: 'cancelled', reason: 'expunged', body: null, headers: null })
      expect(await everythingAbout(open())).not.toContain('anna')
      expect(await get(neighbour.id)).toEqual(neighbour)
    },
  )

  test('whoever shares its payload loses it too, in the same org', async () => {
    const { id } = await put()
    const [shared] = await run<{ id: number }>(
      open(),
      `INSERT INTO posthorn.message (org_id, queue_id, id, payload_id)
       VALUES (1, 3, nextval('posthorn.message_id'), $1) RETURNING id`,
      [id],
    )
    await settleAs(open(), 'delivered', [shared!.id])
    await expunge(shared!.id)
    expect(await get(id)).toMatchObject({ status: 'cancelled', body: null })
    expect((await whatIsThere(open())).payloads).toEqual([])
  })

  test('why a message is dead stays where we said it, and goes where a consumer did', async () => {
    const [sent, pulled] = [await put(), await put({ queueId: 2, key: null })]
    await settleAs(open(), 'dead', [sent.id])
    await run(open(), `UPDATE posthorn.attempt SET error_code = 'dns', error = 'no such host'`)
    const { claim } = (await room.engine.claim(2, 1, 60_000))[0]!
    await room.engine.reject(2, [{ id: pulled.id, claim }], {
      dead: `no such user: ${ANNA}`,
      deadLetterQueueId: null,
      notices: null,
    })
    await expunge(sent.id)
    await expunge(pulled.id)
    expect(await get(sent.id)).toMatchObject({ status: 'dead', reason: 'for a test' })
    expect(await get(pulled.id)).toMatchObject({ status: 'dead', reason: 'expunged' })
    const [attempt] = (await room.attempts.ofMessage(caller, listOf(sent.id))).items
    expect(attempt).toMatchObject({ errorCode: 'dns', error: 'no such host' })
    expect(await everythingAbout(open())).not.toContain('anna')
  })

  test('it is not sent again, by no act', async () => {
    const { id } = await put()
    await settleAs(open(), 'dead', [id])
    const { expungedAt } = await expunge(id)
    const refused = { code: 'message_expunged', status: 409, details: { id, at: expungedAt } }
    await expect(room.messages.redrive(caller, { id })).rejects.toMatchObject(refused)
    await expect(room.messages.resend(caller, { id })).rejects.toMatchObject(refused)
    await expect(room.messages.update(caller, { id, sentAt: null, body: 'new' })).rejects.toMatchObject(refused)
    expect(await room.queues.redrive(caller, { id: 1 })).toEqual({ redriven: 0, more: false })
    expect(await get(id)).toMatchObject({ status: 'dead', expungedAt })
  })

  test('a repeated put gives the expunged message and stores nothing, whatever it says', async () => {
    const { id } = await put({ idempotencyKey: 'k' })
    const after = await expunge(id)
    expect(await put({ idempotencyKey: 'k' })).toEqual(after)
    expect(await put({ idempotencyKey: 'k', body: 'other' })).toEqual(after)
    expect((await whatIsThere(open())).live).toEqual([])
  })

  test('done again it changes nothing', async () => {
    const { id } = await put()
    const first = await expunge(id)
    expect(await expunge(id)).toEqual(first)
  })

  test('a message of another org is not there', async () => {
    const { id } = await put()
    await expect(room.messages.expunge({ orgId: 7 }, { id })).rejects.toMatchObject({ code: 'message_not_found' })
    expect(await get(id)).toMatchObject({ body: ANNA })
  })
})

describePostgres('expunging beside those who settle and redrive', () => {
  let db: Database
  let room: Room

  beforeEach(async () => {
    const opened = await openFresh('postgres', { poolSize: 6 })
    db = opened.db
    await migrate(db, silentLog)
    await startHistoryOver(db)
    room = openRoom(db)
    return () => opened.remove()
  })

  test('ends with every one of a family expunged, and nothing live', async () => {
    for (let round = 0; round < 30; round++) {
      const { id } = await room.messages.put(caller, { queueId: 1, body: ANNA })
      const redrive = () => room.messages.redrive(caller, { id }).catch(() => {})
      await Promise.all([
        settleAs(db, 'dead', [id]).then(redrive),
        room.messages.expunge(caller, { id }),
        settleAs(db, 'dead', [id]),
      ])
    }
    expect(await whatIsThere(db)).toMatchObject({ live: [], payloads: [] })
    const open = await run(db, 'SELECT id FROM posthorn.message_done WHERE expunged_at IS NULL')
    expect(open).toEqual([])
  })

  test('waits for no redrive that waits for it: both take records first and bodies second', async () => {
    const { id } = await room.messages.put(caller, { queueId: 1, body: ANNA })
    await settleAs(db, 'dead', [id])
    let redriven: Promise<unknown> = Promise.resolve()
    await db.transaction(async tx => {
      const inTurn = (text: string) => tx.query({ name: '', text }, [id])
      await inTurn('UPDATE posthorn.message_done SET expunged_at = now() WHERE id = $1::bigint')
      redriven = room.messages.redrive(caller, { id }).catch(error => error)
      const waiting =
        "SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE NOT l.granted AND a.query ~ 'body AS'"
      await expect.poll(() => run(db, waiting)).toHaveLength(1)
      await inTurn('DELETE FROM posthorn.payload WHERE id = $1::bigint')
    })
    expect(await redriven).toMatchObject({ code: 'message_expunged' })
  })
})

const listOf = (id: number): never =>
  ({
    id,
    limit: 100,
    offset: 0,
    where: [],
    anyOf: [],
    orderBy: [],
    startAfter: null,
    endBefore: null,
    fields: null,
  }) as never

function settlementOf({ id, queueId }: { id: number; queueId: number }, kind: 'delivered' | 'dead') {
  const verdict = kind === 'delivered' ? { kind } : { kind, reason: 'all attempts failed', deadLetterQueueId: null }
  return {
    orgId: 1,
    queueId,
    id,
    attempts: 0,
    tenure: { shard: 0, epoch: 0 },
    notice: null,
    verdict,
    attempt: {
      n: 1,
      startedAt: Date.now(),
      durationMs: 5,
      status: 200,
      errorCode: null,
      error: null,
      excerpt: `Dear ${ANNA}`,
      queueVersion: 1,
    },
  } as const
}

/** Every row of every table that could have something of a message, as text. */
async function everythingAbout(db: Database): Promise<string> {
  const tables = ['message', 'message_done', 'attempt', 'payload', 'idempotency', 'change']
  const rows = await Promise.all(tables.map(table => run(db, `SELECT t::text AS row FROM posthorn.${table} AS t`)))
  return JSON.stringify(rows)
}
