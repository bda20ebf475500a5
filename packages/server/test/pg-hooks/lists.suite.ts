import { expect } from 'vitest'
import { type Installation, type Json, LATER } from './installations.ts'
import { suite } from './laws.ts'
import { fitting, OPERATORS, probe } from './operators.ts'
import { entities } from './routes.ts'
import { type Sample, sampleOf } from './samples.ts'

const PLURALS = ['queues', 'messages', 'crons'] as const
/** Not to be filtered by, or not to be sorted by, here and (as 500) there. */
const UNFILTERED = new Set(['headers'])
const UNSORTED = new Set(['headers', 'body'])

const idsOf = (rows: readonly Json[]): number[] => rows.map(({ id }) => id)

async function find(on: Installation, { plural, scope }: Sample, query: string): Promise<Json[]> {
  return on.get(`/${plural}/?limit=100&${scope}&${query}`)
}

export const listSuite = suite('lists over REST', law => {
  for (const plural of PLURALS) {
    const route = `GET /${plural}/`
    for (const field of entities[plural].fields) {
      if (UNFILTERED.has(field)) {
        law(
          `${plural} cannot be found by ${field}, and that is said`,
          [`${route} ?where.${field}`, `${route} ?orderby.${field}`, 'lists.bad-values'],
          async on => {
            for (const query of [`where.${field}.eq=x`, `orderby.${field}=asc`]) {
              const { status, json } = await on.call('GET', `/${plural}/?${query}`)
              expect([status, json.message]).toEqual([
                400,
                expect.stringContaining(`querystring/${query.split('=')[0]}`),
              ])
            }
          },
        )
        continue
      }
      law(
        `${plural} are found by ${field} with every operator`,
        [`${route} ?where.${field}`, 'lists.operators', 'lists.null'],
        async on => {
          const sample = await sampleOf(on, plural)
          const { text, nullable } = probe(sample.rows, field)
          const asked = OPERATORS.map(op => [op, text(op)] as const)
          const nulls = nullable
            ? ([
                ['eq', 'null'],
                ['neq', 'null'],
              ] as const)
            : []
          for (const [op, value] of [...asked, ...nulls]) {
            const found = await find(on, sample, `where.${field}.${op}=${encodeURIComponent(value)}`)
            const expected = sample.rows.filter(row => fitting(row[field], op, value))
            expect([op, value, idsOf(found)]).toEqual([op, value, idsOf(expected)])
          }
        },
      )
      law(`${plural} are sorted by ${field} both ways`, [`${route} ?orderby.${field}`, 'lists.orderby'], async on => {
        const sample = await sampleOf(on, plural)
        if (UNSORTED.has(field)) {
          const { status, json } = await on.call('GET', `/${plural}/?orderby.${field}=asc`)
          return expect([status, json.message]).toEqual([400, expect.stringContaining(`orderby.${field}`)])
        }
        for (const direction of ['asc', 'desc']) {
          const found = await find(
            on,
            sample,
            `orderby.${field}=${direction}${field === 'id' ? '' : '&orderby.id=asc'}`,
          )
          const given = found.map(row => row[field])
          expect(idsOf(found).sort((a, b) => a - b)).toEqual(idsOf(sample.rows))
          expect([direction, given]).toEqual([direction, sortedAs(given, direction)])
        }
        return undefined
      })
    }

    law(
      `${plural} come in pages, counted if asked for`,
      [`${route} ?limit`, `${route} ?offset`, `${route} ?totalCount`, 'lists.total', 'lists.default-order'],
      async on => {
        const sample = await sampleOf(on, plural)
        const ids = idsOf(sample.rows)
        const { headers, json } = await on.call('GET', `/${plural}/?${sample.scope}&limit=2&offset=1&totalCount=true`)
        expect([idsOf(json), headers.get('x-total-count')]).toEqual([ids.slice(1, 3), `${ids.length}`])
        const none = await on.call('GET', `/${plural}/?${sample.scope}&limit=0&totalCount=true`)
        expect([none.json, none.headers.get('x-total-count')]).toEqual([[], `${ids.length}`])
        expect(idsOf(await find(on, sample, ''))).toEqual([...ids].sort((a, b) => a - b))
      },
    )

    law(
      `${plural} can be paged through by cursor, both ways`,
      [`${route} ?cursor`, `${route} ?startAfter`, `${route} ?endBefore`, 'lists.cursor'],
      async on => {
        const sample = await sampleOf(on, plural)
        const ids = idsOf(sample.rows).reverse()
        const page = (more: string) =>
          on.call('GET', `/${plural}/?${sample.scope}&orderby.id=desc&limit=2&cursor=true${more}`)
        const first = await page('')
        expect(idsOf(first.json)).toEqual(ids.slice(0, 2))
        const after = first.headers.get('x-start-after')!
        expect(JSON.parse(Buffer.from(after, 'base64').toString())).toEqual({ id: ids[1] })
        const second = await page(`&startAfter=${encodeURIComponent(after)}`)
        expect(idsOf(second.json)).toEqual(ids.slice(2, 4))
        const back = await page(`&endBefore=${encodeURIComponent(second.headers.get('x-end-before')!)}`)
        expect(idsOf(back.json)).toEqual(ids.slice(0, 2))
        const { status, json } = await on.call('GET', `/${plural}/?cursor=true`)
        expect([status, json.code]).toEqual([
          400,
          'PLT_SQL_OPENAPI_PRIMARY_KEY_NOT_INCLUDED_IN_ORDER_BY_IN_CURSOR_PAGINATION',
        ])
      },
    )

    law(
      `of ${plural}, one of several conditions may do, and fields may be chosen`,
      [`${route} ?where.or`, `${route} ?fields`, route, 'lists.or', 'lists.fields'],
      async on => {
        const sample = await sampleOf(on, plural)
        const [a, b, c] = idsOf(sample.rows)
        const or = encodeURIComponent(`(id.eq=${a}|id.eq=${c})`)
        const among = async (query: string) => idsOf(await on.get(`/${plural}/?where.or=${or}${query}`))
        expect(await among('')).toEqual([a, c])
        expect(await among(`&where.id.neq=${a}&where.id.gt=${b}`)).toEqual([c])
        const [row] = sample.rows
        for (const fields of ['fields=id,createdAt', 'fields=id&fields=createdAt']) {
          expect((await find(on, sample, fields))[0]).toEqual({ id: row.id, createdAt: row.createdAt })
        }
      },
    )
  }

  const NESTED = [
    ['queues', 'queues', 'deadLetterQueueId'],
    ['queues', 'crons', 'queueId'],
    ['queues', 'messageQueueId', 'queueId'],
    ['crons', 'messageCronId', 'cronId'],
  ] as const
  for (const [plural, list, field] of NESTED) {
    const route = `GET /${plural}/{id}/${list}`
    law(
      `${route} has its rows, in pages, counted, with the fields asked for`,
      [route, ...['limit', 'offset', 'fields', 'totalCount'].map(name => `${route} ?${name}`)],
      async on => {
        const { parent, ids } = await makeNested(on, plural, list)
        const path = `/${plural}/${parent}/${list}`
        const all = await on.get(path)
        expect(idsOf(all)).toEqual(ids)
        for (const row of all) expect(row[field]).toBe(parent)
        const page = await on.call('GET', `${path}?limit=1&offset=1&fields=id&totalCount=true`)
        expect(page.json).toEqual(ids.slice(1, 2).map(id => ({ id })))
        expect(page.headers.get('x-total-count')).toBe(`${ids.length}`)
      },
    )
  }

  law('a page has ten rows unless said otherwise, and a hundred at most', ['rest.page', 'lists.bounds'], async on => {
    const { id: queueId } = await on.queue()
    for (let n = 0; n < 11; n++) await on.put(queueId, { when: LATER })
    expect(await on.get(`/messages/?where.queueId.eq=${queueId}`)).toHaveLength(10)
    expect(await on.get(`/messages/?where.queueId.eq=${queueId}&limit=100`)).toHaveLength(11)
    for (const [query, bound] of [
      ['limit=101', '100'],
      ['limit=-1', '0'],
      ['offset=-1', '0'],
    ]) {
      const { status, json } = await on.call('GET', `/messages/?${query}`)
      expect([status, json.message]).toEqual([400, expect.stringContaining(`querystring/${query!.split('=')[0]}`)])
      expect(json.message).toContain(bound)
    }
  })

  law(
    'what names no field is ignored; what names a field and makes no sense is refused',
    ['lists.unknown', 'lists.arrays', 'lists.bad-values', 'lists.bad-cursor', 'lists.like-id'],
    async on => {
      const sample = await sampleOf(on, 'queues')
      const ids = idsOf(sample.rows)
      expect(idsOf(await find(on, sample, 'nonsense=1&where.nonsense.eq=1&orderby.nonsense=asc'))).toEqual(ids)
      expect(idsOf(await find(on, sample, `where.id.like=${ids[1]}`))).toEqual([ids[1]])
      const senseless = [
        'where.name.contains=a',
        'where.name.contained=a',
        'where.name.overlaps=a',
        'where.headers.eq=x',
        'where.createdAt.gt=never',
        'where.id.in=a,b',
        'where.id.eq=null',
        'orderby.id=up',
        'startAfter=eyJpZCI6NH0=',
        'orderby.id=asc&startAfter=***',
      ]
      for (const query of senseless) {
        const { status, json } = await on.call('GET', `/queues/?${query}`)
        expect([query, status, json.statusCode]).toEqual([query, 400, 400])
      }
    },
  )
})

function sortedAs(values: readonly Json[], direction: string): Json[] {
  const [lower, upper] = direction === 'asc' ? [-1, 1] : [1, -1]
  // Nulls last going up and first going down, as PostgreSQL has it.
  return [...values].sort((a, b) => {
    if (a === b) return 0
    if (a === null || b === null) return (a === null ? 1 : -1) * upper
    return a < b ? lower : upper
  })
}

async function makeNested(on: Installation, plural: string, list: string): Promise<{ parent: number; ids: number[] }> {
  const queue = await on.queue()
  const cron = () => on.well('POST', '/crons/', { queueId: queue.id, schedule: '0 0 1 1 *' })
  if (list === 'queues') {
    const children = [await on.queue({ deadLetterQueueId: queue.id }), await on.queue({ deadLetterQueueId: queue.id })]
    return { parent: queue.id, ids: idsOf(children) }
  }
  if (list === 'crons') return { parent: queue.id, ids: idsOf([await cron(), await cron()]) }
  if (plural === 'queues') {
    return {
      parent: queue.id,
      ids: idsOf([await on.put(queue.id, { when: LATER }), await on.put(queue.id, { when: LATER })]),
    }
  }
  const { id } = await cron()
  const run = await on.well('POST', `/crons/${id}/run`)
  const rows = await on.get(`/messages/?where.queueId.eq=${queue.id}`)
  expect(idsOf(rows)).toContain(run.id)
  return { parent: id, ids: idsOf(rows) }
}
