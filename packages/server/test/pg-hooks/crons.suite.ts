import { expect } from 'vitest'
import { status } from '../harness/receiver.ts'
import { type Installation, type Json, LATER, pass } from './installations.ts'
import { suite } from './laws.ts'

const isSent = ({ sentAt }: Json): boolean => sentAt !== null

export const cronSuite = suite(
  'crons',
  law => {
    const make = async (on: Installation, cron: object, queue: object = {}) => {
      const target = on.target()
      const { id } = await on.queue({ callbackUrl: target.url, ...queue })
      return { target, queueId: id, cron: await on.well('POST', '/crons/', { queueId: id, body: 'tick', ...cron }) }
    }
    const ticksOf = (on: Installation, { id }: Json): Promise<Json[]> =>
      on.get(`/messages/?limit=100&where.cronId.eq=${id}&orderby.when=asc&orderby.id=asc`)

    law('saving a cron stores the message of its next tick', ['crons.first', 'crons.current'], async on => {
      const { cron, queueId } = await make(on, { schedule: '@hourly', headers: { 'x-a': '1' } })
      const hour = 3_600_000
      const [tick, ...more] = await ticksOf(on, cron)
      expect(more).toEqual([])
      expect(tick).toMatchObject({ queueId, cronId: cron.id, body: 'tick', headers: { 'x-a': '1' }, sentAt: null })
      expect(Date.parse(tick.when) % hour).toBe(0)
      expect(Date.parse(tick.when) - Date.parse(cron.createdAt)).toBeLessThanOrEqual(hour)
    })

    law(
      'a tick a second: each second has one message, sent ones stay, and what changes is in the next',
      ['crons.second', 'crons.chain', 'crons.current', 'crons.put', 'crons.delete'],
      async on => {
        const { cron, target } = await make(on, { schedule: '*/1 * * * * *' })
        await on.arrived(target, 3)
        await on.well('PUT', `/crons/${cron.id}`, { queueId: cron.queueId, schedule: '* * * * * *', body: 'changed' })
        const seen = target.arrivals().length
        await on.arrived(target, seen + 2)
        expect(target.arrivals().at(-1)!.body.toString()).toBe('changed')
        const whens = (await ticksOf(on, cron)).map(({ when }) => Date.parse(when))
        expect(whens, 'one message for every second').toEqual(whens.map((_, i) => whens[0]! + i * 1000))
        await on.well('DELETE', `/crons/${cron.id}`)
        expect((await on.call('GET', `/crons/${cron.id}`)).status).toBe(404)
        // A tick within the last quarter of a second before may still go out.
        await pass(1300)
        const rest = await ticksOf(on, cron)
        const arrived = target.arrivals().length
        await pass(1500)
        expect(target.arrivals()).toHaveLength(arrived)
        const after = await ticksOf(on, cron)
        expect(after).toEqual(rest)
        expect(after.every(isSent)).toBe(true)
      },
    )

    law('a change leaves one chain, on the new schedule', ['crons.put'], async on => {
      const { cron } = await make(on, { schedule: '0 0 1 1 *' })
      await on.well('PUT', `/crons/${cron.id}`, { queueId: cron.queueId, schedule: '0 0 1 2 *' })
      const ticks = await ticksOf(on, cron)
      expect(ticks.map(({ when }) => new Date(when).toISOString().slice(5))).toEqual(['02-01T00:00:00.000Z'])
    })

    law(
      'a tick that fails keeps its own retries, and starts no further chain',
      ['crons.retries', 'crons.chain'],
      async on => {
        const failing = on.target(status(500))
        const { cron } = await make(on, { schedule: '* * * * * *' }, { callbackUrl: failing.url, maxRetries: 2 })
        await pass(4000)
        const ticks = await ticksOf(on, cron)
        await on.well('DELETE', `/crons/${cron.id}`)
        // What waits for a retry shows that time, within the second of its tick.
        const whens = ticks.map(({ when }) => Math.floor(Date.parse(when) / 1000) * 1000)
        expect(whens).toEqual(whens.map((_, i) => whens[0]! + i * 1000))
        expect(ticks.length).toBeLessThanOrEqual(7)
        const dead = ticks.filter(({ failed }) => failed)
        expect(dead.length).toBeGreaterThan(0)
        for (const tick of dead) expect(tick.retries).toBe(2)
      },
    )

    law(
      'a schedule that is none is 400, over REST and GraphQL, and nothing is stored',
      ['crons.invalid', 'crons.refused', 'crons.empty'],
      async on => {
        const { id: queueId } = await on.queue()
        const refused = [
          'hello world',
          '   ',
          '',
          '60 * * * *',
          '*',
          '* * * *',
          '* * * * * * *',
          '0 0 31 2 *',
          '@every 5s',
        ]
        for (const schedule of refused) {
          const { status, json } = await on.call('POST', '/crons/', { queueId, schedule })
          expect([schedule, status, json.message]).toEqual([schedule, 400, expect.stringMatching(/^body\/schedule /)])
          const query = 'mutation ($input: CronInput!) { saveCron(input: $input) { id } }'
          const saved = await on.call('POST', '/graphql', { query, variables: { input: { queueId, schedule } } })
          expect(saved.json).toMatchObject({ data: { saveCron: null }, errors: [{ path: ['saveCron'] }] })
        }
        expect(await on.get(`/queues/${queueId}/crons`)).toEqual([])
        expect(await on.get(`/queues/${queueId}/messages`)).toEqual([])
      },
    )

    law('all that pg-hooks takes as a schedule is taken', ['crons.accepted'], async on => {
      const { id: queueId } = await on.queue()
      const schedules = [
        '0 0 1 1 *',
        '0 0 0 1 1 *',
        '0 0 * JAN MON',
        '0 0 * * MON-FRI',
        '1,2 0 1 1 *',
        '0-5 0 1 1 *',
        '*/15 0 1 1 *',
        '0 0 ? 1 *',
        '0 0 * 1 7',
        '0 0 L * *',
        '0 0 * * 5L',
        '0 0 * * 1#1',
        'H H 1 1 *',
        '@yearly',
        '@monthly',
        '@weekly',
        '@daily',
        '@hourly',
        '@minutely',
        '@secondly',
        '@weekdays',
      ]
      for (const schedule of schedules) {
        const { status, json } = await on.call('POST', '/crons/', { queueId, schedule })
        expect([schedule, status, json.next?.length]).toEqual([schedule, 200, 5])
        await on.well('DELETE', `/crons/${json.id}`)
      }
    })

    law('a cron with history can be stopped by deleting it; its messages stay', ['crons.delete'], async on => {
      const { cron, target } = await make(on, { schedule: '* * * * * *' })
      await on.arrived(target, 1)
      await on.until((await ticksOf(on, cron))[0].id, isSent)
      expect((await on.call('DELETE', `/crons/${cron.id}`)).status).toBe(200)
      expect((await ticksOf(on, cron)).length).toBeGreaterThan(0)
      expect(await on.get(`/messages/?where.cronId.eq=${cron.id}&where.when.gt=${LATER}`)).toEqual([])
    })
  },
  true,
)
