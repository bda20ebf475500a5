import { expectTypeOf, test } from 'vitest'
import type { HandledName, Input, Message, Output, Queue, QueueCreate } from './index.ts'
import { Problem } from './index.ts'

test('inputs and outputs are typed by the declaration alone', () => {
  expectTypeOf<Input<'queues.update'>>().toExtend<{ id: number; name?: string }>()
  expectTypeOf<Input<'messages.put'>>().toExtend<{ queueId: number; idempotencyKey?: string }>()
  expectTypeOf<Input<'queues.listAttempts'>['id']>().toEqualTypeOf<number>()
  expectTypeOf<Output<'queues.list'>['items'][number]>().toEqualTypeOf<Queue>()
  expectTypeOf<Output<'messages.get'>>().toEqualTypeOf<Message>()
  expectTypeOf<QueueCreate>().toExtend<{ name: string; method?: string }>()
})

test('what follows from a relation needs no handler', () => {
  expectTypeOf<'queues.listMessages'>().not.toExtend<HandledName>()
  expectTypeOf<'queues.listAttempts'>().toExtend<HandledName>()
})

test('a secret has no place in a row', () => {
  expectTypeOf<'secrets'>().not.toExtend<keyof Queue>()
  expectTypeOf<'secrets'>().toExtend<keyof QueueCreate>()
})

test('a problem takes the details that its text names', () => {
  // @ts-expect-error the id is missing
  new Problem('queue_not_found', {})
  expectTypeOf(new Problem('queue_not_found', { id: 1 }).code).toEqualTypeOf<'queue_not_found'>()
})
