import { expect, test } from 'vitest'
import type { NewMessage } from '../engine/port.ts'
import { headOfNew } from './handover.ts'

const message: NewMessage = {
  orgId: 2,
  queueId: 3,
  body: 'hello',
  headers: '{"a":"b"}',
  dueAt: null,
  expiresAt: 9000,
  priority: 4,
  slice: 2,
  key: 'k',
  cronId: null,
  idempotency: null,
}
const stored = { kind: 'stored', id: 7, xid: 5, createdAt: 1000 } as const

test('a message is handed over as a load would bring it', () => {
  expect(headOfNew(message, stored)).toEqual({
    id: 7,
    xid: 5,
    orgId: 2,
    queueId: 3,
    body: 'hello',
    headers: '{"a":"b"}',
    dueAt: null,
    expiresAt: 9000,
    lane: 24,
    key: 'k',
    attempts: 0,
    forgiven: 0,
    retryAt: null,
    pin: null,
    slot: -1,
    storedAt: 1000,
    lost: false,
  })
})

test('a time that had come when the message was stored is no time', () => {
  const dueAtOf = (dueAt: number) => headOfNew({ ...message, dueAt }, stored)!.dueAt
  expect([dueAtOf(999), dueAtOf(1000), dueAtOf(1001)]).toEqual([null, null, 1001])
})

test('a put that stored nothing hands nothing over', () => {
  expect(headOfNew(message, { kind: 'repeated', id: 7 })).toBeNull()
  expect(headOfNew(message, { kind: 'conflict', id: 7 })).toBeNull()
})
