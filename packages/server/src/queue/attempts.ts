import { type Attempt, type AttemptOutcome, attempt, type Page, Problem } from '@posthorn/contract'
import type { Database, Statement } from '../db/port.ts'
import { loadStatement } from '../db/statement.ts'
import type { Params } from '../list/condition.ts'
import { type Columns, column, timestamp } from '../list/filter.ts'
import { type AnyQuery, type ListSource, listPage } from '../list/page.ts'
import { rowReader } from '../list/read-row.ts'
import type { Caller } from '../tenant/caller.ts'

export interface AttemptsOptions {
  readonly db: Database
  /** Bound on lists that no index serves, in milliseconds. */
  readonly listLimitMs: number
}

const QUEUE_OF_MESSAGE = loadStatement(import.meta.url, './sql/queue_of_message.sql')
const IS_QUEUE_OF_ORG: Statement = {
  name: 'queue_is_of_org',
  text: 'SELECT id FROM posthorn.queue WHERE org_id = $1::int AND id = $2::int AND deleted_at IS NULL',
}

export type Attempts = ReturnType<typeof createAttempts>

/** The lists of attempts, as the contract has them. */
export function createAttempts({ db, listLimitMs }: AttemptsOptions) {
  const list = (query: AnyQuery, scope: (params: Params) => string): Promise<Page<Attempt>> =>
    listPage(db, attemptSource(scope), query, listLimitMs)

  return {
    /** @throws Problem message_not_found */
    async ofMessage({ orgId }: Caller, input: AnyQuery & { readonly id: number }): Promise<Page<Attempt>> {
      const [message] = await db.query<{ queue_id: number }>(QUEUE_OF_MESSAGE, [orgId, input.id])
      if (!message) throw new Problem('message_not_found', { id: input.id })
      return list(
        input,
        params =>
          `a.queue_id = ${params.add(message.queue_id, 'int')} AND a.message_id = ${params.add(input.id, 'bigint')}`,
      )
    },

    /** @throws Problem queue_not_found */
    async ofQueue({ orgId }: Caller, input: AnyQuery & { readonly id: number }): Promise<Page<Attempt>> {
      const [queue] = await db.query(IS_QUEUE_OF_ORG, [orgId, input.id])
      if (!queue) throw new Problem('queue_not_found', { id: input.id })
      return list(input, params => `a.queue_id = ${params.add(input.id, 'int')}`)
    },
  }
}

/** The letters of attempt.outcome: an attempt after which a message was stopped or expired was its last, and failed. */
const OUTCOMES: readonly (readonly [AttemptOutcome, string])[] = [
  ['delivered', `a.outcome = 'd'`],
  ['retry', `a.outcome = 'r'`],
  ['dead', `a.outcome IN ('x', 'c', 'e')`],
]

const columns: Columns = {
  messageId: column('a.message_id', 'int8'),
  queueId: column('a.queue_id', 'int8'),
  n: column('a.n', 'int8'),
  startedAt: timestamp('a.started_at'),
  durationMs: column('a.duration_ms', 'int8'),
  status: column('a.status', 'int8', { nullable: true }),
  outcome: {
    ...column(`CASE ${OUTCOMES.map(([name, sql]) => `WHEN ${sql} THEN '${name}'`).join(' ')} END`, 'text'),
    cases: OUTCOMES,
  },
  errorCode: column('a.error_code', 'text', { nullable: true }),
  error: column('a.error', 'text', { nullable: true }),
  queueVersion: column('a.queue_version', 'int8'),
}

function attemptSource(scope: (params: Params) => string): ListSource<Attempt> {
  return {
    resource: attempt,
    branches: [
      {
        from: 'posthorn.attempt AS a',
        columns,
        hidden: { excerpt: column('a.excerpt', 'text', { nullable: true }) },
        scope,
      },
    ],
    supplement: null,
    serves: ({ field, op }) => (field === 'messageId' || field === 'n' || field === 'queueId') && !op.endsWith('like'),
    sorts: new Set(['messageId']),
    decode: rowReader(attempt),
  }
}
