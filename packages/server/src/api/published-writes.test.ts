import { expect, test } from 'vitest'
import type { Change } from './changes.ts'
import type { CallContext, Handlers } from './handlers.ts'
import { publishWrites } from './published-writes.ts'

const OPERATOR: CallContext = { orgId: 1, actor: 'admin', rights: null, until: null }
const findOrg = async (name: string) => (name === 'acme' ? { id: 7 } : null)

/** Carries out what the test says, and gives what was published of it. */
async function published(name: keyof Handlers, input: object, output: unknown, isAwaited = true): Promise<Change[]> {
  const changes: Change[] = []
  const publish = (change: Change): void => void changes.push(change)
  const handlers = { [name]: async () => output } as unknown as Handlers
  const told = publishWrites(handlers, { isAwaited, publish, subscribe: () => () => {} }, findOrg)
  expect(await told[name](OPERATOR, input as never)).toBe(output)
  return changes
}

test('what is saved is told to those of the org that it was saved for', async () => {
  const saved = { act: 'saved', id: 3 }
  for (const [name, resource] of [
    ['services.upsert', 'service'],
    ['templates.upsert', 'template'],
    ['emails.send', 'message'],
  ] as const) {
    expect(await published(name, { orgName: 'acme' }, { id: 3 })).toEqual([{ orgId: 7, resource, ...saved }])
    expect(await published(name, {}, { id: 3 })).toEqual([{ orgId: 1, resource, ...saved }])
  }
})

test('what nobody waits for is not looked at', async () => {
  const unread = {
    get results() {
      return expect.unreachable()
    },
  }
  expect(await published('messages.putMany', { messages: [] }, unread, false)).toEqual([])
})

test('an org that is gone by then has nobody to tell', async () => {
  expect(await published('services.upsert', { orgName: 'gone' }, { id: 3 })).toEqual([])
})

test('what an org’s own request was answered is no record, and neither are files', async () => {
  const lists = [{ id: 'photos' }, { id: 5 }]
  expect(await published('services.jsonRequest', { id: 1, url: '/' }, { status: 200, body: lists })).toEqual([])
  expect(await published('files.fetch', { paths: [] }, { files: lists, failure: null })).toEqual([])
})

test('what a consumer took and settled is told, and not what it had lost', async () => {
  const message = (id: number) => ({ orgId: 1, resource: 'message', act: 'saved', id })
  expect(await published('queues.claim', { id: 1 }, { messages: [{ id: 5 }] })).toEqual([message(5)])
  const settled = { acknowledged: [5, 6], lost: [7] }
  expect(await published('queues.acknowledge', { id: 1 }, settled)).toEqual([message(5), message(6)])
})
