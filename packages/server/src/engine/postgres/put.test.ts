import { expect, test } from 'vitest'
import { DatabaseError, type Executor, type TextRow } from '../../db/port.ts'
import { message } from '../fixture.suite.ts'
import { put } from './put.ts'
import { statements } from './statements.ts'

const keyed = { idempotency: { key: 'k', bodyHash: Buffer.from([1]), ttlMs: 1000 } }
const messages = [message({ orgId: 1 }, 1), message({ orgId: 1 }, 1, keyed)]

/** A server on which the second message's key was used before; `recall` answers the look-ups of it, one after the other. */
function server(...recall: (TextRow[] | Error)[]): { readonly db: Executor; readonly ran: string[] } {
  const ran: string[] = []
  const rows: Executor['rows'] = async (statement, params) => {
    ran.push(statement.name)
    if (statement === statements.put) {
      const all = `${params![0]}`.split(',').length
      return all === 2
        ? [
            ['7', '5', '1', '1'],
            ['7', '5', '2', null],
          ]
        : [['8', '6', '3', '1']]
    }
    const answer = recall.shift()!
    if (answer instanceof Error) throw answer
    return answer
  }
  return { db: { rows } as unknown as Executor, ran }
}

test('what fails after the commit leaves the put in doubt, however harmless by itself', async () => {
  for (const outcome of ['rejected', 'unsent', 'unknown'] as const) {
    const { db } = server(new DatabaseError('the server is stopping', outcome, { sqlState: '57P01' }))
    await expect(put(db, messages)).rejects.toMatchObject({ outcome: 'unknown', sqlState: undefined })
  }
})

test('a key that was cleared away before it could be looked up is free: its message is stored after all', async () => {
  const { db, ran } = server([])
  expect(await put(db, messages)).toEqual([
    { kind: 'stored', id: 1, xid: 7, createdAt: 5 },
    { kind: 'stored', id: 3, xid: 8, createdAt: 6 },
  ])
  expect(ran).toEqual(['put', 'recall', 'put'])
})

test('the first message of a key is told by its content', async () => {
  for (const [hash, kind] of [
    ['01', 'repeated'],
    ['02', 'conflict'],
  ] as const) {
    const { db } = server([['1', '99', hash]])
    expect((await put(db, messages))[1]).toEqual({ kind, id: 99 })
  }
})
