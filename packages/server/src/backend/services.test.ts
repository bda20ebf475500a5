import { beforeEach, expect, test } from 'vitest'
import { openBackendRoom } from '../../test/backend-room.ts'
import { eachDatabase } from '../../test/databases.ts'
import { secretWord } from '../../test/leaks/marked.ts'
import { addOrg, asked } from '../../test/queue-room.ts'
import type { Database } from '../db/port.ts'
import { servicePasswordPlace } from '../tenant/sealed-columns.ts'
import { readService } from './stored-service.ts'

const PASSWORD = secretWord('-Battery')

eachDatabase('services', open => {
  let orgs = 0
  let orgId: number
  let name: string
  let api: ReturnType<typeof openBackendRoom>['operations']
  let secrets: ReturnType<typeof openBackendRoom>['room']['secrets']
  let caller: { orgId: number; rights: null }

  beforeEach(async () => {
    name = `org-${orgs++}`
    orgId = await addOrg(open(), name)
    caller = { orgId, rights: null }
    const { operations, room } = openBackendRoom(open(), -1)
    api = operations
    secrets = room.secrets
  })

  const mailjet = { name: 'mailjet', user: 'key', password: PASSWORD } as const

  test('one is made the first time, and then the latest of its name is changed; what is left out stays', async () => {
    const made = await api['services.upsert'](caller, mailjet)
    expect(made).toMatchObject({ name: 'mailjet', user: 'key', hasPassword: true, version: 1, orgName: name })
    const changed = await api['services.upsert'](caller, { name: 'mailjet', user: 'other' })
    expect(changed).toMatchObject({ id: made.id, user: 'other', hasPassword: true, version: 2 })
    expect((await api['services.list'](caller, asked())).items).toHaveLength(1)
  })

  test('of several of one name the latest is changed without an id, and each by its own', async () => {
    const first = await api['services.upsert'](caller, mailjet)
    await insertSecond(open(), orgId)
    const latest = await api['services.upsert'](caller, { ...mailjet, user: 'latest' })
    expect(latest.id).toBeGreaterThan(first.id)
    expect(await api['services.upsert'](caller, { ...mailjet, id: first.id, user: 'first' })).toMatchObject({
      id: first.id,
      user: 'first',
    })
    expect(await api['services.get'](caller, { id: latest.id })).toMatchObject({ user: 'latest' })
  })

  test('one whose password cannot be opened says so, and is well once it is set again', async () => {
    const { id } = await api['services.upsert'](caller, mailjet)
    await open().exec(`UPDATE posthorn.service SET password = left(password, 40) WHERE id = ${id}`)
    const said = expect.stringMatching(/password cannot be opened .*set it again/)
    expect(await api['services.check'](caller, { id })).toEqual({ ok: false, fault: 'misconfigured', message: said })
    await expect(api['services.listTemplates'](caller, { id })).rejects.toMatchObject({
      code: 'service_failed',
      message: said,
      details: { fault: 'misconfigured' },
    })
    await expect(api['services.upsert'](caller, { name: 'mailjet', user: 'other' })).rejects.toMatchObject({
      code: 'service_invalid',
      message: said,
      details: { field: 'password' },
    })
    expect(await api['services.upsert'](caller, mailjet)).toMatchObject({ id, hasPassword: true })
    const { password } = (await readService(open(), orgId, id))!
    expect(secrets.open(password!, servicePasswordPlace(id))).toBe(PASSWORD)
  })

  test('the name of a service never changes', async () => {
    const { id } = await api['services.upsert'](caller, mailjet)
    await expect(api['services.upsert'](caller, { id, name: 'testmail' })).rejects.toMatchObject({
      code: 'service_name_fixed',
      message: `Service ${id} is a mailjet, and stays one`,
    })
  })

  test.each([
    [{ name: 'mailjet', user: 'key' }, 'body/password is required: API secret'],
    [{ name: 'ses', host: 'nowhere', user: 'a', password: 'b' }, 'body/host must'],
    [{ name: 'test_stripe', password: 'sk_live_1' }, 'be an API key of the test mode'],
    [{ name: 'testmail', path: 'x' }, 'body/path is not used by this service and must be left out'],
  ] as const)('what its type does not take is refused by field: %o', async (input, problem) => {
    const refused = api['services.upsert'](caller, input)
    await expect(refused).rejects.toMatchObject({ code: 'service_invalid' })
    await expect(refused).rejects.toThrow(problem)
    await expect(refused).rejects.not.toThrow(/sk_live_1/)
    expect((await api['services.list'](caller, asked())).items).toEqual([])
  })

  test('a change that leaves a service incomplete is refused, and it stays as it was', async () => {
    const { id } = await api['services.upsert'](caller, mailjet)
    await expect(api['services.upsert'](caller, { name: 'mailjet', password: null })).rejects.toMatchObject({
      code: 'service_invalid',
    })
    expect(await api['services.get'](caller, { id })).toMatchObject({ hasPassword: true, version: 1 })
  })

  test('a password is nowhere in clear, is never given out, and opens for its own service only', async () => {
    const first = await api['services.upsert'](caller, mailjet)
    const stored = { name: '', text: 'SELECT password FROM posthorn.service WHERE id = $1::int' }
    const [row] = await open().query<{ password: string }>(stored, [first.id])
    expect(row!.password).toMatch(/^v1:/)
    expect(row!.password).not.toContain(PASSWORD)
    expect(secrets.open(row!.password, `service.password:${first.id}`)).toBe(PASSWORD)
    expect(() => secrets.open(row!.password, `service.password:${first.id + 1}`)).toThrow(/was sealed for another/)
    const told = [first, await api['services.get'](caller, first), await api['services.list'](caller, asked())]
    expect(JSON.stringify(told)).not.toMatch(/Correct|"password"/)
  })

  test('of two first upserts at once one makes it and the other changes it', async () => {
    const both = [api['services.upsert'](caller, mailjet), api['services.upsert'](caller, mailjet)]
    const made = await Promise.all(both)
    expect(made[0]!.id).toBe(made[1]!.id)
    expect((await api['services.list'](caller, asked())).items).toHaveLength(1)
  })

  test('one that is attached is not deleted, and the answer says where', async () => {
    const { id } = await api['services.upsert'](caller, mailjet)
    await api['processing.update'](caller, { emailBackend: 'mailjet' })
    await expect(api['services.delete'](caller, { id })).rejects.toThrow(
      `Service ${id} is attached to email of org ${name}: detach it first`,
    )
    await api['processing.update'](caller, { emailBackend: null })
    expect(await api['services.delete'](caller, { id })).toMatchObject({ id, attachedTo: [] })
    await expect(api['services.get'](caller, { id })).rejects.toMatchObject({ code: 'service_not_found' })
  })

  test("another org's services are as if they were not there, but for the operator who names it", async () => {
    const { id } = await api['services.upsert'](caller, mailjet)
    const other = await addOrg(open(), `other-${orgId}`)
    const stranger = { orgId: other, rights: null }
    for (const act of ['services.get', 'services.delete', 'services.check', 'services.inbox'] as const)
      await expect(api[act](stranger, { id })).rejects.toMatchObject({ code: 'service_not_found' })
    await expect(api['services.upsert'](stranger, { ...mailjet, id })).rejects.toMatchObject({
      code: 'service_not_found',
    })
    await expect(api['services.upsert'](stranger, { ...mailjet, orgName: name })).rejects.toMatchObject({
      code: 'org_unknown',
    })
    const { operations } = openBackendRoom(open(), other)
    const made = await operations['services.upsert'](stranger, { name: 'testmail', orgName: name })
    expect(made.orgName).toBe(name)
    const bounded = { orgId: other, rights: {} }
    await expect(operations['processing.get'](bounded, { orgName: name })).rejects.toMatchObject({
      code: 'org_unknown',
    })
    expect((await api['services.list'](stranger, asked())).items).toEqual([])
  })

  test('a check says what was found, and a service that has no such call says so', async () => {
    const { id } = await api['services.upsert'](caller, { name: 'testmail' })
    expect(await api['services.check'](caller, { id })).toEqual({
      ok: true,
      message: 'Test mail keeps emails to look at: 0 of at most 200 now',
      fault: null,
    })
    await expect(api['services.listTemplates'](caller, { id })).rejects.toThrow(
      `Service ${id} is a testmail, which cannot listTemplates`,
    )
    const broken = await api['services.upsert'](caller, { name: 'smtp', host: 'smtp://127.0.0.1:1' })
    expect(await api['services.check'](caller, { id: broken.id })).toMatchObject({ ok: false, fault: 'connect' })
  })
})

async function insertSecond(db: Database, orgId: number): Promise<void> {
  const text = `INSERT INTO posthorn.service (org_id, name, username, password)
    SELECT org_id, name, username, NULL FROM posthorn.service WHERE org_id = $1::int`
  await db.query({ name: '', text }, [orgId])
}
