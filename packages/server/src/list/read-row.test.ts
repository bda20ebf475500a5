import { attempt, queue } from '@posthorn/contract'
import { expect, test } from 'vitest'
import { rowReader } from './read-row.ts'

const at = new Date('2030-01-02T03:04:05.678Z')

test('a row has its resource’s fields, in their order and no others, and times in ISO 8601', () => {
  const row = { startedAt: at, messageId: 1, n: 1, queueId: 2, durationMs: 3, status: null, outcome: 'dead' }
  const read = rowReader(attempt)({ more: 1, ...row, errorCode: 'x', error: '', excerpt: null, queueVersion: 0 })
  expect(Object.keys(read)).toEqual(Object.keys(attempt.fields))
  expect(read).toMatchObject({ startedAt: '2030-01-02T03:04:05.678Z', status: null, durationMs: 3, error: '' })
})

test('what goes in and never comes out is not read, and a field that has no column is a mistake', () => {
  const fields = Object.keys(queue.fields).filter(field => field !== 'secrets')
  const row = { ...Object.fromEntries(fields.map(field => [field, 1])), secrets: ['whsec_'] }
  expect(Object.keys(rowReader(queue)(row))).toEqual(fields)
  const { weight: _, ...lacking } = row as unknown as { weight: number }
  expect(() => rowReader(queue)(lacking)).toThrow('a row of queue has no weight')
})
