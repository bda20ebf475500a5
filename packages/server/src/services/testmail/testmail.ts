import type { InboxEntry } from '../calls.ts'
import type { Email } from '../email.ts'
import { faultOf } from '../faults.ts'
import type { Result, ServiceType } from '../port.ts'

/** As many as a person looks through. */
const KEPT = 200

export const testmail: ServiceType = {
  name: 'testmail',
  title: 'Test mail',
  summary:
    'Sends nothing: keeps the last 200 emails of this node in an inbox to look at, until the service is changed or the node stops. An address that begins with `rejected@`, `deferred@` or `throttled@` meets that fate.',
  credentials: { fields: {} },
  functions: ['email'],
  batch: 50,
  calls: ['inbox'],
  async open(_, { clock }) {
    const inbox: InboxEntry[] = []
    return {
      check: async () => `Test mail keeps emails on this node: ${inbox.length} so far`,
      email: async emails =>
        emails.map(email => {
          const fault = fateOf(email)
          if (fault !== null) return fault
          inbox.unshift({ at: clock.now(), email })
          inbox.length = Math.min(inbox.length, KEPT)
          return { reference: `testmail-${email.id}` }
        }),
      calls: { inbox: async () => [...inbox] },
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
