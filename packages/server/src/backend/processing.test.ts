import { beforeEach, expect, test } from 'vitest'
import { openBackendRoom } from '../../test/backend-room.ts'
import { eachDatabase } from '../../test/databases.ts'
import { addOrg, asked, makeSpan } from '../../test/queue-room.ts'

eachDatabase('processing', open => {
  let orgs = 0
  let opened: ReturnType<typeof openBackendRoom>
  let api: ReturnType<typeof openBackendRoom>['operations']
  let instance: { orgId: number; rights: null; name: string }
  let caller: { orgId: number; rights: null; name: string }

  const addCaller = async (prefix: string) => {
    const name = `${prefix}-${orgs++}`
    return { orgId: await addOrg(open(), name), rights: null, name }
  }

  beforeEach(async () => {
    if (orgs === 0) await makeSpan(open())
    instance = await addCaller('instance')
    caller = await addCaller('org')
    opened = openBackendRoom(open(), instance.orgId)
    api = opened.operations
    await api['services.upsert'](caller, { name: 'testmail' })
    await api['services.upsert'](caller, { name: 'testdetail' })
  })

  const queueOf = async () => {
    const { items } = await opened.room.queues.list(caller, asked())
    return items.find(queue => queue.name === `org.${caller.name}.email`)
  }

  test('attaching makes the queue of the function and opens it; detaching closes it and keeps what waits', async () => {
    await expect(api['emails.send'](caller, email)).rejects.toMatchObject({ code: 'function_detached' })
    await api['processing.update'](caller, { emailBackend: 'testmail', emailFrom: 'us@example.org' })
    const message = await api['emails.send'](caller, email)
    expect(message.queueId).toBe((await queueOf())!.id)
    expect(await api['processing.update'](caller, { emailBackend: null })).toMatchObject({
      emailBackend: null,
      emailFrom: 'us@example.org',
    })
    await expect(api['emails.send'](caller, email)).rejects.toMatchObject({ code: 'function_detached' })
    const put = opened.room.messages.put(caller, { queueId: message.queueId, body: 'x' })
    await expect(put).rejects.toMatchObject({ code: 'function_detached' })
    expect((await opened.room.messages.get(caller, message)).status).toBe('pending')
    await api['processing.update'](caller, { emailBackend: 'testmail' })
    expect((await api['emails.send'](caller, email)).queueId).toBe(message.queueId)
  })

  test('every node is told of it in the same commit', async () => {
    const text = `SELECT count(*)::int AS n FROM posthorn.change AS c JOIN posthorn.queue AS q ON q.id = c.queue_id
      WHERE q.org_id = $1::int AND c.kind = 'queue'`
    const told = async () => (await open().query<{ n: number }>({ name: '', text }, [caller.orgId]))[0]!.n
    await api['processing.update'](caller, { emailBackend: 'testmail' })
    expect(await told()).toBe(1)
    await api['processing.update'](caller, { emailBackend: null })
    expect(await told()).toBe(2)
    await api['processing.update'](caller, { emailBackend: null })
    expect(await told()).toBe(2)
  })

  test('a wrong pair is refused with the list of what works, also by id', async () => {
    const detail = await api['services.upsert'](caller, { name: 'testdetail' })
    for (const emailBackend of ['testdetail', `${detail.id}`])
      await expect(api['processing.update'](caller, { emailBackend })).rejects.toThrow(
        'body/emailBackend: testdetail cannot serve email; what can is ses, mailjet, smtp, testmail',
      )
    await expect(api['processing.update'](caller, { pushBackend: 'testmail' })).rejects.toThrow(
      'what can is sqs, webhook',
    )
    await expect(api['processing.update'](caller, { emailBackend: 'mailjet' })).rejects.toThrow(
      `body/emailBackend: org ${caller.name} has no service mailjet`,
    )
    expect(await queueOf()).toBeUndefined()
  })

  test('of several changes together all are made, or none', async () => {
    const both = { emailBackend: 'testmail', detailBackend: 'testmail' }
    await expect(api['processing.update'](caller, both)).rejects.toMatchObject({ code: 'backend_unfit' })
    expect(await api['processing.get'](caller, {})).toMatchObject({ emailBackend: null, detailBackend: null })
  })

  test('SYSTEM needs an instance org that has a backend, and is refused to that org itself', async () => {
    await expect(api['processing.update'](caller, { emailBackend: 'SYSTEM' })).rejects.toThrow(
      `body/emailBackend: SYSTEM is the backend of org ${instance.name}, which has none for email`,
    )
    await expect(api['processing.update'](instance, { emailBackend: 'system' })).rejects.toMatchObject({
      code: 'backend_circle',
    })
    await api['services.upsert'](instance, { name: 'testmail' })
    await api['processing.update'](instance, { emailBackend: 'testmail' })
    expect(await api['processing.update'](caller, { emailBackend: 'system' })).toMatchObject({ emailBackend: 'SYSTEM' })
    const { items } = await api['workers.list'](caller, asked())
    expect(items).toMatchObject([{ function: 'email', service: 'testmail', system: true, state: 'running' }])
  })

  test('workers are listed, stopped and started for their own org', async () => {
    await api['processing.update'](caller, { emailBackend: 'testmail' })
    const [own] = (await api['workers.list'](caller, asked())).items
    expect(own).toMatchObject({ orgName: caller.name, queueName: `org.${caller.name}.email`, waiting: 0, inFlight: 0 })
    const stranger = await addCaller('stranger')
    await expect(api['workers.stop'](stranger, own!)).rejects.toMatchObject({ code: 'worker_not_found' })
    expect(await api['workers.stop'](caller, own!)).toMatchObject({ state: 'stopped', node: null, since: null })
    // It is stopped and not detached: its queue takes messages.
    await opened.room.messages.put(caller, { queueId: own!.id, body: '{}' })
    expect(await api['workers.start'](caller, own!)).toMatchObject({ state: 'running', waiting: 1 })
    const before = await api['workers.get'](caller, own!)
    const restarted = await api['workers.restart'](caller, own!)
    expect(Date.parse(restarted.since!)).toBeGreaterThan(Date.parse(before.since!))
  })

  test('a template is found by its locale, then by what is wider, then for whom no other fits', async () => {
    for (const locale of ['pt', 'pt-BR', null])
      await api['templates.upsert'](caller, { name: 'hi', locale, subject: locale ?? 'any', text: 'x' })
    const again = await api['templates.upsert'](caller, { name: 'hi', locale: 'PT_br', subject: 'other', text: 'x' })
    expect(again).toMatchObject({ locale: 'pt-br', subject: 'other' })
    expect((await api['templates.list'](caller, asked())).items).toHaveLength(3)
    await api['processing.update'](caller, { emailBackend: 'testmail', emailFrom: 'us@example.org' })
    const send = (template: string, locale?: string) =>
      api['emails.send'](caller, { to: email.to, template, ...(locale && { locale }) })
    await send('hi', 'fr-CA')
    await expect(send('ho')).rejects.toThrow(`body/template: org ${caller.name} has no template ho`)
    await expect(
      api['templates.upsert'](caller, { name: 'bad', subject: 's', text: '{{#open}}' }),
    ).rejects.toMatchObject({ code: 'template_invalid' })
  })

  test('an email that cannot be sent is refused before it is stored', async () => {
    await api['processing.update'](caller, { emailBackend: 'testmail' })
    const refused = [
      [{ to: email.to, subject: 's', text: 't' }, 'body/from must be given'],
      [{ ...email, from, template: 'x' }, 'body/template or providerTemplate or text'],
      [{ to: email.to, from, text: 't' }, 'body/subject must be given with text or html'],
    ] as const
    for (const [input, problem] of refused) await expect(api['emails.send'](caller, input)).rejects.toThrow(problem)
    expect((await opened.room.messages.list(caller, asked())).items).toEqual([])
  })

  test('details are asked of the backend once, and remembered; what failed is told apart and asked again', async () => {
    await expect(api['details.lookup'](caller, { email: 'ann@example.org' })).rejects.toMatchObject({
      code: 'function_detached',
    })
    await api['processing.update'](caller, { detailBackend: 'testdetail' })
    await new Promise(resolve => setTimeout(resolve, 550)) // an answer about a backend is half a second old at most
    const lookup = (address: string) => api['details.lookup'](caller, { email: address, contactRef: 'c1' })
    const first = await lookup('ann@example.org')
    expect(first).toMatchObject({ privacy: { optIn: true }, action: { customFields: { contactRef: 'c1' } } })
    expect(await lookup('ann@example.org')).toEqual(first)
    await expect(lookup('unknown@example.org')).rejects.toMatchObject({ details: { fault: 'not_found' } })
    await expect(lookup('broken@example.org')).rejects.toMatchObject({ details: { fault: 'wrong_answer' } })
    const { items } = await api['services.list'](caller, asked())
    const { id } = items.find(({ name }) => name === 'testdetail')!
    expect((await api['services.inbox'](caller, { id })).entries).toHaveLength(3)
  })
})

const from = { address: 'me@example.org' }
const email = { to: [{ address: 'ann@example.org' }], subject: 'Hi {{name}}', text: 'x', fields: { name: 'Ann' } }
