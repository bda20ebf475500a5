import { describe, expect, test } from 'vitest'
import { type Served, serve } from '../../test/api/serve.ts'

const withCron = async (served: Served) => {
  await served.call('POST', '/queues/', { name: 'q', callbackUrl: 'http://h/hook' })
  return served.call('POST', '/crons/', { queueId: 1, schedule: '@hourly', body: 'h', headers: { 'x-a': '1' } })
}
const lastInput = ({ state }: Served): unknown => state.calls.at(-1)!.input

describe('a pg-hooks client', () => {
  test('creates a cron, and reads the fields that it knows in their order', async () => {
    const served = await serve()
    const { status, headers, json } = await withCron(served)
    expect([status, headers.get('location')]).toEqual([200, '/crons/1'])
    expect(json).toMatchObject({ id: 1, queueId: 1, schedule: '@hourly', body: 'h', headers: { 'x-a': '1' } })
    expect((await served.call('GET', '/crons/1')).json).toEqual(json)
  })

  test('may also write what the README of pg-hooks says', async () => {
    const served = await serve()
    await withCron(served)
    const made = await served.call('POST', '/cron/', { queueId: 1, schedule: '@daily' })
    expect(made).toMatchObject({ status: 200, json: { id: 2, schedule: '@daily' } })
    expect((await served.call('GET', '/cron')).json).toHaveLength(2)
  })

  test('changes a cron by a POST with its id', async () => {
    const served = await serve()
    await withCron(served)
    const { json } = await served.call('POST', '/crons/', { id: 1, queueId: 1, schedule: '@daily' })
    expect(json).toMatchObject({ id: 1, schedule: '@daily', body: 'h' })
    expect(served.state.calls.at(-1)).toMatchObject({ operation: 'crons.update', input: { id: 1, schedule: '@daily' } })
  })

  test('walks from queues to crons to messages and back, by both names', async () => {
    const served = await serve()
    await withCron(served)
    expect((await served.call('GET', '/queues/1/crons')).json).toMatchObject([{ id: 1 }])
    expect((await served.call('GET', '/crons/1/queue')).json).toMatchObject({ id: 1 })
    for (const path of ['/crons/1/messages', '/crons/1/messageCronId']) {
      expect((await served.call('GET', path)).status).toBe(200)
      expect(lastInput(served)).toMatchObject({ where: [{ field: 'cronId', op: 'eq', value: 1 }] })
    }
    expect((await served.call('GET', '/crons/9/messages')).status).toBe(404)
    const { json: message } = await served.call('POST', '/messages/', { queueId: 1 })
    const none = await served.call('GET', `/messages/${message.id}/cron`)
    expect(none).toMatchObject({ status: 404, json: { message: `message ${message.id} has no cron` } })
  })

  test('learns which field of a cron is wrong', async () => {
    const served = await serve()
    await withCron(served)
    const wrong: readonly (readonly [object, string])[] = [
      [{ queueId: 1 }, "body must have required property 'schedule'"],
      [{ schedule: '@daily' }, "body must have required property 'queueId'"],
      [{ queueId: 1, schedule: '' }, 'body/schedule must NOT have fewer than 1 characters'],
      [{ queueId: 1, schedule: 'x'.repeat(256) }, 'body/schedule must NOT have more than 255 characters'],
      [{ queueId: 1, schedule: '@daily', misfire: 'some' }, 'body/misfire must be equal to one of the allowed values'],
      [{ queueId: 1, schedule: '@daily', headers: { 'webhook-id': 'x' } }, 'body/headers must not have webhook-id'],
      [{ queueId: 1, schedule: '@daily', priority: 10 }, 'body/priority must be <= 9'],
    ]
    for (const [body, message] of wrong) {
      const { status, json } = await served.call('POST', '/crons/', body)
      expect([status, json.message]).toEqual([400, expect.stringContaining(message)])
    }
  })

  test('cannot set what only the schedule decides', async () => {
    const served = await serve()
    await withCron(served)
    const early = { nextAt: '2030-01-01T00:00:00Z', pausedAt: '2030-01-01T00:00:00Z', next: [] }
    await served.call('PUT', '/crons/1', { schedule: '@daily', ...early })
    expect(lastInput(served)).toEqual({ id: 1, schedule: '@daily' })
  })
})
