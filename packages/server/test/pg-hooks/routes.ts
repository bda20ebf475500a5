/** The routes and parameters of pg-hooks 0.4.3's OpenAPI document, as facts. */

interface Entity {
  readonly fields: readonly string[]
  readonly id: string
  /** What can be read below one row: lists take a page, single rows only `fields`. */
  readonly lists: readonly string[]
  readonly rows: readonly string[]
}

export const entities: Readonly<Record<'queues' | 'messages' | 'crons' | 'versions', Entity>> = {
  queues: {
    fields: [
      'callbackUrl',
      'createdAt',
      'deadLetterQueueId',
      'headers',
      'id',
      'maxRetries',
      'method',
      'name',
      'updatedAt',
    ],
    id: 'id',
    lists: ['queues', 'crons', 'messageQueueId'],
    rows: ['dead_letter_queue'],
  },
  messages: {
    fields: [
      'body',
      'createdAt',
      'cronId',
      'failed',
      'headers',
      'id',
      'queueId',
      'retries',
      'sentAt',
      'updatedAt',
      'when',
    ],
    id: 'id',
    lists: [],
    rows: ['queue', 'cron'],
  },
  crons: {
    fields: ['body', 'createdAt', 'headers', 'id', 'queueId', 'schedule', 'updatedAt'],
    id: 'id',
    lists: ['messageCronId'],
    rows: ['queue'],
  },
  versions: { fields: ['md5', 'name', 'runAt', 'version'], id: 'version', lists: [], rows: [] },
}

const CONTROLS = ['limit', 'offset', 'totalCount', 'cursor', 'startAfter', 'endBefore', 'fields', 'where.or']

/** Every route, and every group of parameters of each (`where.name` stands for its operators). */
export function routeNames(): string[] {
  return Object.entries(entities).flatMap(([plural, { fields, id, lists, rows }]) => {
    const all = `/${plural}/`
    const one = `/${plural}/{${id}}`
    const filters = fields.map(field => `where.${field}`)
    const orders = fields.map(field => `orderby.${field}`)
    return [
      ...withParameters(`GET ${all}`, [...CONTROLS, ...filters, ...orders]),
      ...withParameters(`POST ${all}`, ['fields']),
      ...withParameters(`PUT ${all}`, ['fields', 'where.or', ...filters]),
      ...['GET', 'PUT', 'DELETE'].flatMap(verb => withParameters(`${verb} ${one}`, ['fields'])),
      ...lists.flatMap(list => withParameters(`GET ${one}/${list}`, ['limit', 'offset', 'fields', 'totalCount'])),
      ...rows.flatMap(row => withParameters(`GET ${one}/${row}`, ['fields'])),
    ]
  })
}

const withParameters = (route: string, names: readonly string[]): string[] => [
  route,
  ...names.map(name => `${route} ?${name}`),
]
