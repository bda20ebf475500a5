import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openBackendRoom } from '../../test/backend-room.ts'
import { eachDatabase } from '../../test/databases.ts'
import { secretWord } from '../../test/leaks/marked.ts'
import { addOrg, asked, makeSpan } from '../../test/queue-room.ts'
import { headOf } from '../../test/run-room.ts'
import type { Report } from '../run/port.ts'

interface Came {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

eachDatabase('workers at work', open => {
  let server: Server
  let home: string
  let answer: number
  const came: Came[] = []
  let orgs = 0
  let opened: ReturnType<typeof openBackendRoom>
  let caller: { orgId: number; rights: null }

  beforeAll(async () => {
    await makeSpan(open())
    server = createServer((request, response) => {
      text(request).then(body => {
        came.push({ path: request.url!, headers: request.headers, body })
        response.writeHead(answer, { 'content-type': 'application/json' }).end('{}')
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    home = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(async () => {
    answer = 200
    came.length = 0
    caller = { orgId: await addOrg(open(), `org-${orgs++}`), rights: null }
    opened = openBackendRoom(open(), -1)
  })

  /** Attempts one message of the function's queue, as the dispatcher would. */
  async function attempt(body: string): Promise<Report | null> {
    const { items } = await opened.operations['workers.list'](caller, asked())
    const { id } = items[0]!
    const route = (await opened.room.book.find([id])).get(id)!
    return new Promise(resolve => {
      const head = headOf(7, { orgId: caller.orgId, queueId: id, body })
      opened.backend.delivery.attempt(route, head, 1, report => resolve(report))
    })
  }

  async function attachWebhook(): Promise<void> {
    await opened.operations['services.upsert'](caller, {
      name: 'webhook',
      host: `${home}/hook`,
      password: `Bearer ${secretWord()}`,
    })
    await opened.operations['processing.update'](caller, { eventBackend: 'webhook' })
  }

  test('an event goes to the webhook that is attached, with its credentials', async () => {
    await attachWebhook()
    const body = JSON.stringify({ schema: 'proca:event:2', eventType: 'email_status' })
    expect(await attempt(body)).toMatchObject({ outcome: 'delivered' })
    expect(came).toMatchObject([{ path: '/hook', body, headers: { authorization: `Bearer ${secretWord()}` } }])
    await opened.stop()
  })

  test('what is no JSON fails for what it is, and reaches nobody', async () => {
    await attachWebhook()
    expect(await attempt('{')).toMatchObject({ outcome: 'failed', errorCode: 'invalid', isOwnFault: true })
    expect(came).toEqual([])
    await opened.stop()
  })

  test('trouble of the service is its trouble, and is written down for whoever lists workers', async () => {
    await attachWebhook()
    answer = 503
    expect(await attempt('{}')).toMatchObject({ outcome: 'failed', errorCode: 'unavailable', isOwnFault: false })
    await opened.stop()
    const [worker] = (await opened.operations['workers.list'](caller, asked())).items
    expect(worker).toMatchObject({ function: 'event', inFlight: 0, lastError: expect.stringContaining('503') })
  })

  test('a service that is changed is used as it is now', async () => {
    await attachWebhook()
    await attempt('{}')
    await opened.operations['services.upsert'](caller, { name: 'webhook', host: `${home}/other` })
    await new Promise(resolve => setTimeout(resolve, 550)) // as old as an answer about a backend may be
    await attempt('{}')
    expect(came.map(({ path }) => path)).toEqual(['/hook', '/other'])
    await opened.stop()
  })

  test('an email whose file nobody has waits alone: its neighbours are sent', async () => {
    await opened.operations['services.upsert'](caller, { name: 'testmail' })
    await opened.operations['processing.update'](caller, { emailBackend: 'testmail', emailFrom: 'us@acme.example' })
    const email = { to: [{ address: 'ann@example.org' }], subject: 's', text: 't' }
    const attachments = [{ filename: 'a.txt', path: 'bucket/a.txt' }]
    const bodies = [{ ...email, attachments }, email].map(body => JSON.stringify(body))
    const [stored, sent] = await Promise.all(bodies.map(attempt))
    expect(sent).toMatchObject({ outcome: 'delivered' })
    expect(stored).toMatchObject({ outcome: 'failed', errorCode: 'deferred', isOwnFault: true })
    expect(stored!.error).toMatch(/attachment bucket\/a.txt: Org .* has no backend for storage/)
    await opened.stop()
  })

  test('an email that nobody could foresee fails alone too', async () => {
    await opened.operations['services.upsert'](caller, { name: 'testmail' })
    await opened.operations['processing.update'](caller, { emailBackend: 'testmail', emailFrom: 'us@acme.example' })
    const email = '"to": [{"address": "ann@example.org"}], "subject": "s", "text": "t"'
    const deep = `{${email}, "fields": {"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
    const [odd, sent] = await Promise.all([deep, `{${email}}`].map(attempt))
    expect(sent).toMatchObject({ outcome: 'delivered' })
    expect(odd).toMatchObject({ outcome: 'failed', errorCode: 'deferred', isOwnFault: true })
    expect(odd!.error).toMatch(/could not be composed/)
    await opened.stop()
  })

  test('a password that cannot be opened is said to be so, until it is set again', async () => {
    await attachWebhook()
    await open().exec(`UPDATE posthorn.service SET password = left(password, 40) WHERE org_id = ${caller.orgId}`)
    expect(await attempt('{}')).toMatchObject({ outcome: 'failed', errorCode: 'misconfigured', isOwnFault: false })
    expect(came).toEqual([])
    await attachWebhook()
    await new Promise(resolve => setTimeout(resolve, 550)) // as old as an answer about a backend may be
    expect(await attempt('{}')).toMatchObject({ outcome: 'delivered' })
    await opened.stop()
    const [worker] = (await opened.operations['workers.list'](caller, asked())).items
    expect(worker!.lastError).toMatch(/^webhook: its password cannot be opened .*set it again/)
  })

  test('once it is detached, what was started goes back unmade', async () => {
    await attachWebhook()
    const { items } = await opened.operations['workers.list'](caller, asked())
    const route = (await opened.room.book.find([items[0]!.id])).get(items[0]!.id)!
    await opened.operations['processing.update'](caller, { eventBackend: null })
    const report = await new Promise(resolve => {
      const head = headOf(7, { orgId: caller.orgId, queueId: route.id, body: '{}' })
      opened.backend.delivery.attempt(route, head, 1, resolve)
    })
    expect(report).toBeNull()
    expect(came).toEqual([])
    await opened.stop()
  })
})
