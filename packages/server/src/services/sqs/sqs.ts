import type { SendMessageBatchRequestEntry, SendMessageBatchResult } from '@aws-sdk/client-sqs'
import { createAwsRequest } from '../aws/aws-request.ts'
import { classifyAws, clientOptions } from '../aws/client.ts'
import { AWS_FIELDS } from '../aws/credentials.ts'
import { wrongUrl } from '../credentials.ts'
import { type Fault, type FaultCode, faultOf } from '../faults.ts'
import type { Note } from '../note.ts'
import type { Result, ServiceType } from '../port.ts'

export const sqs: ServiceType = {
  name: 'sqs',
  title: 'Amazon SQS',
  summary: 'Puts actions and events on an SQS queue, ten to a request; a FIFO queue keeps the order of each group.',
  credentials: {
    fields: { ...AWS_FIELDS, path: { meaning: 'queue URL', required: true, wrong: wrongUrl } },
  },
  functions: ['push', 'event'],
  batch: 10,
  batchBytes: 1_048_576,
  calls: ['awsRequest'],
  async open(credentials, means) {
    const { GetQueueAttributesCommand, SendMessageBatchCommand, SQSClient } = await import('@aws-sdk/client-sqs')
    const QueueUrl = credentials.path!
    // The queue's URL is where requests go: it may be at a server of the installation's own.
    const endpoint = new URL(QueueUrl).origin
    const client = new SQSClient({ ...clientOptions('sqs', credentials, means), endpoint })
    return {
      classify,
      async check(abortSignal) {
        const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] })
        const { Attributes } = await client.send(command, { abortSignal })
        return `SQS queue ${QueueUrl.split('/').at(-1)}: about ${Attributes?.ApproximateNumberOfMessages ?? 0} messages wait in it`
      },
      async note(notes, abortSignal) {
        const Entries = notes.map((note, index) => entryOf(note, index, QueueUrl.endsWith('.fifo')))
        return readResults(
          notes,
          await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }), { abortSignal }),
        )
      },
      calls: { awsRequest: createAwsRequest(credentials, means) },
      close: async () => client.destroy(),
    }
  },
}

function entryOf({ id, body, attributes, group }: Note, index: number, fifo: boolean): SendMessageBatchRequestEntry {
  const filled = Object.entries(attributes).filter(([, value]) => value !== '')
  return {
    Id: String(index),
    MessageBody: body,
    MessageAttributes: Object.fromEntries(
      filled.map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
    ),
    ...(fifo ? { MessageGroupId: group ?? 'posthorn', MessageDeduplicationId: id } : {}),
  }
}

function readResults(notes: readonly Note[], { Successful = [], Failed = [] }: SendMessageBatchResult): Result[] {
  const results = new Map<string | undefined, Result>()
  for (const { Id, MessageId } of Successful) results.set(Id, { reference: MessageId ?? null })
  for (const { Id, Code = '', Message = '', SenderFault } of Failed) {
    const name = Code.split('.').at(-1)!
    const code = ENTRY_BY_NAME[name] ?? (SenderFault ? 'rejected' : 'deferred')
    results.set(Id, { fault: faultOf(code, `SQS refused it: ${Code}: ${Message}`, { serviceCode: name }) })
  }
  const missing = faultOf('wrong_answer', 'SQS did not say what became of it')
  return notes.map((_, index) => results.get(String(index)) ?? { fault: missing })
}

/** Faults of single entries, which SQS marks as the sender's although time heals them. */
const ENTRY_BY_NAME: Readonly<Record<string, FaultCode>> = {
  RequestThrottled: 'throttled',
  ThrottlingException: 'throttled',
  KmsThrottled: 'throttled',
  KmsAccessDenied: 'misconfigured',
  KmsDisabled: 'misconfigured',
}

const BY_NAME: Readonly<Record<string, FaultCode>> = {
  QueueDoesNotExist: 'misconfigured',
  NonExistentQueue: 'misconfigured',
  QueueDeletedRecently: 'misconfigured',
  BatchRequestTooLong: 'too_large',
  KmsThrottled: 'throttled',
  KmsAccessDenied: 'misconfigured',
  KmsDisabled: 'misconfigured',
  OverLimit: 'throttled',
}

function classify(error: unknown): Fault | null {
  return classifyAws('SQS', error, BY_NAME)
}
