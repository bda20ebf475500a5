import { afterEach, expect, test } from 'vitest'
import { Mailjet } from '../harness/mailjet.ts'
import { startNode, stopAll } from '../harness/nodes.ts'
import { openEmbedded, type Place } from '../harness/places.ts'
import { runCommand } from '../harness/run-command.ts'
import { secretWord } from '../leaks/marked.ts'

const PASSWORD = secretWord('-In-A-History')
let place: Place
let mailjet: Mailjet

afterEach(async () => {
  await stopAll()
  await mailjet.stop()
  await place.close()
})

test('services are set, checked, attached, looked at and deleted from the command line', {
  timeout: 180_000,
}, async () => {
  place = await openEmbedded()
  mailjet = await Mailjet.start('key', PASSWORD)
  const { url, api } = await startNode({ ...place.env, POSTHORN_SERVICE_ENDPOINTS: `mailjet=${mailjet.url}` })
  const run = (args: string[], more: Parameters<typeof runCommand>[2] = {}) => runCommand(url, args, more)
  const must = async (args: string[], more: Parameters<typeof runCommand>[2] = {}): Promise<string> => {
    const { code, out, error } = await run(args, more)
    expect(code, error).toBe(0)
    return out
  }
  const refused = async (args: string[], more: Parameters<typeof runCommand>[2] = {}): Promise<string> => {
    const { code, error } = await run(args, more)
    expect(code, args.join(' ')).toBeGreaterThan(0)
    return error
  }
  await api.post('/orgs/', { name: 'acme' })
  const acme = ['-o', 'acme']

  expect(await must(['service', ...acme])).toContain('org acme has no services')
  expect(await refused(['service:set', ...acme, '-n', 'mailjet', '-u', 'key'])).toContain('password is required')
  expect(await refused(['service:set', ...acme, '-n', 'mail'])).toContain('Allowed choices are ses, mailjet')
  expect(await refused(['service:set', ...acme, '-n', 'mailjet', '-P'])).toContain('there is nobody to ask')
  expect(await refused(['service:set', ...acme, '-n', 'mailjet', '-P', '-p', '-'])).toContain('give -p or -P, not both')

  const environment = { env: { POSTHORN_SERVICE_PASSWORD: 'wrong' } }
  expect(await must(['service:set', ...acme, '-n', 'mailjet', '-u', 'key'], environment)).toMatch(
    /^service \d+ \(mailjet\) of org acme is stored$/m,
  )
  expect((await run(['service:check', ...acme, '-n', 'mailjet'])).code).toBe(1)
  await must(['service:set', ...acme, '-n', 'mailjet', '-p', '-'], { stdin: `${PASSWORD}\n` })
  const services = await must(['service', ...acme, '--json'])
  expect(JSON.parse(services).services).toMatchObject([{ name: 'mailjet', user: 'key', hasPassword: true, version: 2 }])

  expect(await must(['service:email', ...acme, '-n', 'mailjet', '-f', 'us@acme.example'])).toBe(
    'org acme uses mailjet for email, from us@acme.example\n',
  )
  expect(await refused(['service:push', ...acme, '-n', 'mailjet'])).toContain('what can is sqs, webhook')
  expect(await refused(['service:email', ...acme, '-n', 'smtp'])).toContain('org acme has no service smtp')
  await api.post('/emails/', { orgName: 'acme', to: [{ address: 'ann@example.org' }], subject: 's', text: 't' })
  while (mailjet.taken.length === 0) await new Promise(resolve => setTimeout(resolve, 20))
  expect(mailjet.taken).toMatchObject([{ to: 'ann@example.org', from: 'us@acme.example' }])

  expect(await must(['workers', ...acme])).toMatch(/acme +email +running +mailjet/)
  await must(['workers', 'stop', ...acme, 'email'])
  expect(await must(['workers', 'list', ...acme])).toMatch(/acme +email +stopped/)
  await must(['workers', 'restart', ...acme])
  expect(await refused(['service:delete', ...acme, '-n', 'mailjet', '--yes'])).toContain(
    'attached to email of org acme',
  )
  expect(await must(['service:email', ...acme, '-N'])).toContain('org acme uses nothing for email')
  expect(await must(['service:delete', ...acme, '-n', 'mailjet', '--yes'])).toContain('is deleted')
  // The instance org has had none of this.
  expect(await must(['workers'])).toContain('no worker')
})
