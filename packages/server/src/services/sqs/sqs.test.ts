import { describe, expect, test } from 'vitest'
import { open, serviceSuite } from '../service.suite.ts'
import { json, noteOf, parse, startHttp } from '../stand-in.suite.ts'
import { sqs } from './sqs.ts'
import { ACCOUNT, startSqs } from './stand-in.suite.ts'

serviceSuite(sqs, { start: startSqs })

describe('Amazon SQS', () => {
  const begin = async (queue = 'plain') => {
    const standIn = await startSqs()
    const path = standIn.credentials.path!.replace(/plain$/, queue)
    return { standIn, ...open(sqs, { credentials: { ...standIn.credentials, path } }) }
  }

  test('a note arrives as it stands, with its attributes, ten in a request', async () => {
    const { service, standIn } = await begin()
    const attributes = { Schema: 'posthorn:1', Stage: 'deliver', CampaignName: '', ActionType: 'register' }
    const notes = Array.from({ length: 25 }, (_, index) => noteOf(`msg_${index}`, { attributes }))
    const outcomes = await service.deliver.event!(notes)
    expect(outcomes.every(outcome => outcome.kind === 'delivered' && outcome.reference !== null)).toBe(true)
    expect(standIn.requests()).toBe(3)
    const [first] = standIn.inside('plain')
    expect(first).toMatchObject({
      body: '{"id":"msg_0"}',
      messageAttributes: { ActionType: { DataType: 'String', StringValue: 'register' } },
    })
    expect(Object.keys(first!.messageAttributes)).not.toContain('CampaignName')
  })

  test('of a batch in which some are refused, those alone die, with the reason of SQS', async () => {
    const { service, standIn } = await begin()
    const outcomes = await service.deliver.push!([noteOf('a'), noteOf('b', { body: 'bell \u0007' }), noteOf('c')])
    expect(outcomes).toMatchObject([
      { kind: 'delivered' },
      {
        kind: 'dead',
        fault: { code: 'rejected', serviceCode: 'InvalidMessageContents', reason: expect.stringContaining('SQS') },
      },
      { kind: 'delivered' },
    ])
    expect(standIn.taken()).toEqual(['a', 'c'])
  })

  test('what SQS could not take for reasons of its own is retried alone', async () => {
    const { service, standIn } = await begin()
    standIn.hiccups.add('"b"')
    expect(await service.deliver.push!([noteOf('a'), noteOf('b'), noteOf('c')])).toMatchObject([
      { kind: 'delivered' },
      { kind: 'retry', fault: { code: 'deferred', serviceCode: 'InternalError' } },
      { kind: 'delivered' },
    ])
    expect(await service.deliver.push!([noteOf('b')])).toMatchObject([{ kind: 'delivered' }])
    expect(standIn.taken()).toEqual(['a', 'c', 'b'])
  })

  test('an answer whose checksums are wrong puts the whole batch in doubt', async () => {
    const http = await startHttp({
      error: status => json(status, {}),
      answer: asked => {
        const entries = parse(asked).Entries as { Id: string; MessageBody: string }[]
        const Failed = [{ Id: entries[1]!.Id, Code: 'InternalError', SenderFault: false, Message: 'later' }]
        return json(200, { Successful: [{ Id: entries[0]!.Id, MessageId: 'x', MD5OfMessageBody: '' }], Failed })
      },
    })
    const path = `${http.origin}${ACCOUNT}/plain`
    const credentials = { host: 'eu-central-1', user: 'AKIDEXAMPLE1234567', password: 'x', path }
    const { service } = open(sqs, { credentials })
    // The SDK compares checksums of bodies; this server gives a wrong one, so the whole of the batch is in doubt.
    const outcomes = await service.deliver.push!([noteOf('a'), noteOf('b'), noteOf('c')])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'retry'])
  })

  test('a FIFO queue keeps the order of a group, and takes a repeated message once', async () => {
    const { service, standIn } = await begin('line.fifo')
    const notes = ['a', 'b', 'c'].map(id => noteOf(id, { group: 'one' }))
    await service.deliver.push!(notes)
    await service.deliver.push!(notes)
    const inside = standIn.inside('line.fifo')
    expect(inside.map(({ body }) => JSON.parse(body))).toEqual([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
    expect(inside[0]).toMatchObject({ messageGroupId: 'one', messageDeduplicationId: 'a' })
  })

  test('messages that are too many bytes together go in several requests, one that is too large alone dies', async () => {
    const { service, standIn } = await begin()
    const large = (id: string, bytes: number) => noteOf(id, { body: JSON.stringify({ id, fill: 'x'.repeat(bytes) }) })
    const outcomes = await service.deliver.push!([large('a', 700_000), large('b', 700_000), large('c', 1_100_000)])
    expect(outcomes).toMatchObject([
      { kind: 'delivered' },
      { kind: 'delivered' },
      { kind: 'dead', fault: { code: 'too_large' } },
    ])
    expect(standIn.taken()).toEqual(['a', 'b'])
  })

  test('a queue that is not there is a matter of settings, and kills no message', async () => {
    const { service } = await begin('nowhere')
    expect(await service.deliver.push!([noteOf('a'), noteOf('b')])).toMatchObject([
      {
        kind: 'retry',
        fault: { code: 'misconfigured', serviceCode: expect.stringMatching(/QueueDoesNotExist|NonExistentQueue/) },
      },
      { kind: 'retry' },
    ])
    expect(await service.check()).toMatchObject({ fault: { code: 'misconfigured' } })
  })

  test('a check tells how many wait', async () => {
    const { service } = await begin()
    await service.deliver.push!([noteOf('a')])
    expect(await service.check()).toEqual({ ok: true, value: expect.stringMatching(/queue plain: about 1 message/) })
  })
})
