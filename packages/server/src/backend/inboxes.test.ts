import { beforeEach, expect, test } from 'vitest'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg } from '../../test/queue-room.ts'
import type { InboxEntry } from '../services/inbox.ts'
import { Inboxes } from './inboxes.ts'

eachDatabase('inboxes', open => {
  let orgs = 0
  let place: { id: number; org_id: number }
  const addService = async (orgId: number): Promise<number> => {
    const text = `INSERT INTO posthorn.service (org_id, name) VALUES ($1, 'testdetail') RETURNING id`
    return (await open().query<{ id: number }>({ name: '', text }, [orgId]))[0]!.id
  }
  beforeEach(async () => {
    const orgId = await addOrg(open(), `org-${orgs++}`)
    place = { org_id: orgId, id: await addService(orgId) }
  })
  const entryOf = (nth: number, at = Date.now()): InboxEntry => ({
    at,
    lookup: { email: `a${nth}@b\0`, contactRef: null },
  })
  const many = (count: number, from = 0) => Array.from({ length: count }, (_, nth) => entryOf(from + nth))
  const stored = async (): Promise<number> => {
    const text = 'SELECT count(*)::int AS n FROM posthorn.inbox WHERE service_id = $1'
    return (await open().query<{ n: number }>({ name: '', text }, [place.id]))[0]!.n
  }

  test('every node shows what any of them was given, the newest first', async () => {
    const [one, other] = [new Inboxes(open()), new Inboxes(open())]
    const [first, second] = [entryOf(1), entryOf(2)]
    await one.of(place).add([first])
    await other.of(place).add([second])
    expect(await one.of(place).list()).toEqual([second, first])
  })

  test('no more than 200 are kept of each, however many come from several nodes at once', async () => {
    const elsewhere = { ...place, id: await addService(place.org_id) }
    const nodes = [new Inboxes(open()), new Inboxes(open())]
    await nodes[0]!.of(elsewhere).add(many(3))
    await Promise.all(nodes.flatMap((node, nth) => [node.of(place).add(many(250, nth * 1000)), node.of(place).add([])]))
    await nodes[0]!.of(place).add(many(1, 5000))
    expect(await stored()).toBe(200)
    const list = await nodes[1]!.of(place).list()
    expect([list.length, list[0]!.lookup!.email]).toEqual([200, 'a5000@b\0'])
    expect(await nodes[1]!.of(elsewhere).list()).toHaveLength(3)
  })

  test('an inbox goes with its service, and nothing comes to one that is gone', async () => {
    const inboxes = new Inboxes(open())
    await inboxes.of(place).add(many(2))
    await open().exec(`DELETE FROM posthorn.service WHERE id = ${place.id}`)
    expect(await stored()).toBe(0)
    await inboxes.of(place).add(many(2))
    expect(await stored()).toBe(0)
  })

  test('what is older than a day is shown no more, and goes', async () => {
    const inboxes = new Inboxes(open())
    await inboxes.of(place).add([entryOf(1, Date.now() - 86_400_000 - 1000), entryOf(2)])
    expect((await inboxes.of(place).list()).map(({ lookup }) => lookup!.email)).toEqual(['a2@b\0'])
    expect(await stored()).toBe(2)
    for (const chore of inboxes.chores) await chore.run()
    expect(await stored()).toBe(1)
  })

  test('what cannot be kept says so, and whoever brought it tries again', async () => {
    const db = { ...open(), query: () => Promise.reject(new Error('the database is away')) }
    const adding = new Inboxes(db as never).of(place).add(many(1))
    await expect(adding).rejects.toMatchObject({
      fault: { code: 'unavailable', reason: expect.stringContaining('the database is away') },
    })
  })
})
