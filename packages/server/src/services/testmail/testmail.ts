import type { Email } from '../email.ts'
import { faultOf } from '../faults.ts'
import { INBOX_KEEPS, showEmail } from '../inbox.ts'
import type { Result, ServiceType } from '../port.ts'

export const testmail: ServiceType = {
  name: 'testmail',
  title: 'Test mail',
  summary:
    'Sends nothing: keeps the last 200 emails in an inbox to look at, for a day, whichever node they came to. An address that begins with `rejected@`, `deferred@` or `throttled@` meets that fate.',
  credentials: { fields: {} },
  functions: ['email'],
  batch: 50,
  calls: ['inbox'],
  async open(_, { clock, inbox }) {
    return {
      check: async () =>
        `Test mail keeps emails to look at: ${(await inbox.list()).length} of at most ${INBOX_KEEPS} now`,
      async email(emails) {
        const fates = emails.map(fateOf)
        const at = clock.now()
        await inbox.add(emails.filter((_, nth) => fates[nth] === null).map(email => ({ at, email: showEmail(email) })))
        return emails.map(({ id }, nth) => fates[nth] ?? { reference: `testmail-${id}` })
      },
      calls: { inbox: () => inbox.list() },
    }
  },
}

function fateOf({ to, cc, bcc }: Email): Result | null {
  const names = [...to, ...cc, ...bcc].map(({ address }) => address.split('@')[0])
  if (names.includes('rejected')) return { fault: faultOf('rejected', 'Test mail refuses this address, as asked') }
  if (names.includes('deferred')) return { fault: faultOf('deferred', 'Test mail defers this address, as asked') }
  if (!names.includes('throttled')) return null
  return { fault: faultOf('throttled', 'Test mail throttles at this address, as asked', { retryAfterMs: 1_000 }) }
}
