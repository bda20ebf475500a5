import { expect } from 'vitest'
import { ask } from '../graphql/ask.ts'
import { subscribe } from '../graphql/subscribe.ts'
import { type Installation, type Json, LATER, SECRET } from './installations.ts'
import { graphqlNames } from './items.ts'
import { suite } from './laws.ts'

const UNKNOWN = 2_000_000_000
const HEARD = {
  queues: { type: 'Queue', fields: ['name', 'callbackUrl', 'method', 'maxRetries'] },
  messages: { type: 'Message', fields: ['when', 'body', 'failed', 'sentAt', 'retries'] },
  crons: { type: 'Cron', fields: ['schedule', 'body'] },
} as const

const idsOf = (rows: readonly Json[]): number[] => rows.map(({ id }) => Number(id))
const namesWith = (pattern: RegExp): string[] => graphqlNames.filter(name => pattern.test(name))
const messages = async (on: Installation, query: string): Promise<string[]> =>
  (await ask(on, query)).errors.map(({ message }) => message)

export const mutationSuite = suite('GraphQL mutations', law => {
  law(
    'a queue is saved with every input, then changed in one field',
    [
      'Mutation.saveQueue',
      'Mutation.saveQueue(input)',
      ...namesWith(/^QueueInput\./),
      'graphql.save',
      'graphql.save-queue',
    ],
    async on => {
      const dead = await on.queue()
      const input = {
        name: 'n',
        callbackUrl: 'http://127.0.0.1:9/',
        method: 'PUT',
        headers: { a: '1' },
        deadLetterQueueId: dead.id,
        maxRetries: 3,
      }
      const fields = '{ id name callbackUrl method headers maxRetries deadLetterQueue { id } }'
      const save = (given: object) =>
        on.data(`mutation ($input: QueueInput!) { saveQueue(input: $input) ${fields} }`, { input: given })
      const { saveQueue: made } = await save(input)
      const { deadLetterQueueId: _, ...plain } = input
      expect(made).toEqual({ id: expect.stringMatching(/^\d+$/), ...plain, deadLetterQueue: { id: `${dead.id}` } })
      expect((await save({ id: made.id, method: 'POST' })).saveQueue).toEqual({ ...made, method: 'POST' })
      expect(
        (await save({ name: 'bare', callbackUrl: 'http://127.0.0.1:9/', method: 'POST' })).saveQueue.maxRetries,
      ).toBe(5)
      const query = 'mutation { saveQueue(input: {callbackUrl: "http://127.0.0.1:9/", method: "POST"}) { id } }'
      expect(await messages(on, query)).toEqual([expect.stringContaining("'name'")])
    },
  )

  law(
    'a message is saved with every input, then changed in one field',
    ['Mutation.saveMessage', 'Mutation.saveMessage(input)', ...namesWith(/^MessageInput\./), 'graphql.save'],
    async on => {
      const { id: queueId } = await on.queue()
      const input = {
        queueId,
        when: LATER,
        body: 'b',
        headers: { a: '1' },
        failed: false,
        sentAt: null,
        retries: 4,
        cronId: 1,
      }
      const fields = '{ id when body headers failed sentAt retries queue { id } cron { id } }'
      const save = (given: object) =>
        on.data(`mutation ($input: MessageInput!) { saveMessage(input: $input) ${fields} }`, { input: given })
      const { saveMessage: made } = await save(input)
      expect(made).toEqual({
        id: expect.any(String),
        when: LATER,
        body: 'b',
        headers: { a: '1' },
        failed: false,
        sentAt: null,
        retries: 0,
        queue: { id: `${queueId}` },
        cron: null,
      })
      expect((await save({ id: made.id, body: 'c' })).saveMessage).toEqual({ ...made, body: 'c' })
    },
  )

  law(
    'a cron is saved with every input, then changed in one field',
    ['Mutation.saveCron', 'Mutation.saveCron(input)', ...namesWith(/^CronInput\./), 'graphql.save'],
    async on => {
      const { id: queueId } = await on.queue()
      const fields = '{ id schedule body headers queue { id } }'
      const save = (given: object) =>
        on.data(`mutation ($input: CronInput!) { saveCron(input: $input) ${fields} }`, { input: given })
      const input = { queueId, schedule: '0 0 1 1 *', body: 'b', headers: { a: '1' } }
      const { saveCron: made } = await save(input)
      const { queueId: _, ...plain } = input
      expect(made).toEqual({ id: expect.any(String), ...plain, queue: { id: `${queueId}` } })
      expect((await save({ id: made.id, schedule: '0 0 1 2 *' })).saveCron).toEqual({ ...made, schedule: '0 0 1 2 *' })
    },
  )

  law(
    'many are inserted at once; of messages all or none, each at its time',
    [
      'Mutation.insertMessages',
      'Mutation.insertMessages(inputs)',
      'graphql.insert',
      'graphql.insert-messages',
      'graphql.insert-when',
    ],
    async on => {
      const { id } = await on.queue()
      const insert = (inputs: object[]) =>
        ask(on, 'mutation ($inputs: [MessageInput]!) { insertMessages(inputs: $inputs) { id when } }', { inputs })
      const whens = [LATER, '2035-01-01T00:00:00.000Z']
      const { data } = await insert(whens.map(when => ({ queueId: id, when })))
      expect(data.insertMessages.map(({ when }: Json) => when)).toEqual(whens)
      expect(idsOf(await on.get(`/queues/${id}/messages`))).toEqual(idsOf(data.insertMessages))
      const failed = await insert([
        { queueId: id, when: LATER },
        { queueId: UNKNOWN, when: LATER },
      ])
      expect(failed.data.insertMessages).toBe(null)
      expect(await on.get(`/queues/${id}/messages`)).toHaveLength(2)
    },
  )

  law(
    'inserted queues are there, none of none, and inserted crons are checked and tick',
    [
      'Mutation.insertQueues',
      'Mutation.insertQueues(inputs)',
      'Mutation.insertCrons',
      'Mutation.insertCrons(inputs)',
      'graphql.insert',
      'graphql.insert-none',
      'graphql.insert-crons',
    ],
    async on => {
      const target = on.target()
      const queue = `{name: "a", callbackUrl: "${target.url}", method: "POST"}`
      const { insertQueues, none } = await on.data(
        `mutation { insertQueues(inputs: [${queue} ${queue}]) { id name } none: insertQueues(inputs: []) { id } }`,
      )
      expect([insertQueues.length, none]).toEqual([2, []])
      const crons = (schedule: string): string =>
        `mutation { insertCrons(inputs: [{queueId: ${insertQueues[0].id}, schedule: "${schedule}", body: "tick"}]) { id messages { when } } }`
      expect(await messages(on, crons('hello world'))).toEqual([expect.stringContaining('schedule')])
      const { insertCrons } = await on.data(crons('* * * * * *'))
      expect(insertCrons[0].messages).toHaveLength(1)
      await on.arrived(target, 1)
      await on.well('DELETE', `/crons/${insertCrons[0].id}`)
    },
  )

  law(
    'what is deleted is given back: what is found, nothing where nothing is',
    [
      'Mutation.deleteQueues',
      'Mutation.deleteQueues(where)',
      'Mutation.deleteMessages',
      'Mutation.deleteMessages(where)',
      'Mutation.deleteCrons',
      'Mutation.deleteCrons(where)',
      'graphql.delete',
    ],
    async on => {
      const { id, name } = await on.queue()
      const cron = await on.well('POST', '/crons/', { queueId: id, schedule: '0 0 1 1 *' })
      const message = await on.put(id, { when: LATER, body: 'gone' })
      const { deleteMessages } = await on.data(
        `mutation { deleteMessages(where: {id: {eq: ${message.id}}}) { id body } }`,
      )
      expect(deleteMessages).toEqual([{ id: `${message.id}`, body: 'gone' }])
      const rest = `deleteCrons(where: {queueId: {eq: ${id}}}) { id schedule } deleteQueues(where: {id: {eq: ${id}}}) { name }`
      expect(await on.data(`mutation { ${rest} }`)).toEqual({
        deleteCrons: [{ id: `${cron.id}`, schedule: cron.schedule }],
        deleteQueues: [{ name }],
      })
      expect(await on.data(`mutation { ${rest} }`)).toEqual({ deleteCrons: [], deleteQueues: [] })
    },
  )

  law('a mutation need not ask for the id', ['graphql.without-id'], async on => {
    const { saveQueue } = await on.data(
      'mutation { saveQueue(input: {name: "no id", callbackUrl: "http://127.0.0.1:9/", method: "POST"}) { createdAt } }',
    )
    const [queue] = await on.get(`/queues/?where.createdAt.gte=${saveQueue.createdAt}&where.name.eq=no id`)
    const input = `queueId: ${queue.id}`
    const data = await on.data(`mutation {
      saveMessage(input: {${input}, when: "${LATER}", body: "b"}) { body }
      insertMessages(inputs: [{${input}, when: "${LATER}", body: "c"}]) { body }
      saveCron(input: {${input}, schedule: "0 0 1 1 *"}) { schedule }
      deleteMessages(where: {queueId: {eq: ${queue.id}}, body: {eq: "b"}}) { body }
      deleteCrons(where: {queueId: {eq: ${queue.id}}}) { schedule }
    }`)
    expect(data).toEqual({
      saveMessage: { body: 'b' },
      insertMessages: [{ body: 'c' }],
      saveCron: { schedule: '0 0 1 1 *' },
      deleteMessages: [{ body: 'b' }],
      deleteCrons: [{ schedule: '0 0 1 1 *' }],
    })
  })

  for (const plural of ['queues', 'messages', 'crons'] as const) {
    const { type, fields } = HEARD[plural]
    const [saved, deleted] = [`${type.toLowerCase()}Saved`, `${type.toLowerCase()}Deleted`]
    law(
      `subscribers hear of ${plural} that are saved and deleted, on any node`,
      [
        `Subscription.${saved}`,
        `Subscription.${deleted}`,
        `${type}Deleted.id`,
        'graphql.subscriptions',
        'graphql.subscribers',
      ],
      async open => {
        const on = await open.guarded()
        const headers = { 'X-PLATFORMATIC-ADMIN-SECRET': SECRET }
        const told = await subscribe(on.url, `subscription { ${saved} { id ${fields.join(' ')} } }`, { headers })
        const toldOfEnds = await subscribe(on.url, `subscription { ${deleted} { id } }`, { headers })
        const stranger = await subscribe(on.url, `subscription { ${saved} { id } }`)
        const call = async (method: string, path: string, body?: object): Promise<Json> =>
          (await on.call(method, path, body, headers)).json
        const target = { callbackUrl: 'http://127.0.0.1:9/', method: 'POST', maxRetries: 1 }
        const queue = await call('POST', '/queues/', { name: 'heard', ...target })
        const below = { messages: { when: LATER, body: 'b' }, crons: { schedule: '0 0 1 1 *', body: 'b' } }
        const body = plural === 'queues' ? { name: 'heard', ...target } : { queueId: queue.id, ...below[plural] }
        const make = (): Promise<Json> => call('POST', `/${plural}/`, body)
        const end = ({ id }: Json): Promise<Json> => call('DELETE', `/${plural}/${id}`)
        // Subscribing takes a moment that nothing tells the end of: changes are made until they are heard.
        for (let round = 0; round < 100 && told.heard.length === 0; round++) await make()
        const row = await make()
        const chosen = Object.fromEntries(fields.map(field => [field, row[field]]))
        // What two nodes tell may come in either order.
        const heard = (from: typeof told) => expect.poll(() => from.heard, { timeout: 10_000 })
        await heard(told).toContainEqual({ [saved]: { id: `${row.id}`, ...chosen } })
        for (let round = 0; round < 100 && toldOfEnds.heard.length === 0; round++) await end(await make())
        await end(row)
        await heard(toldOfEnds).toContainEqual({ [deleted]: { id: `${row.id}` } })
        expect(stranger.heard).toEqual([])
        for (const subscriber of [told, toldOfEnds, stranger]) await subscriber.stop()
      },
    )
  }
})
