import type { Detail, LookupInput } from '../calls.ts'
import { fail } from '../faults.ts'
import type { ServiceType } from '../port.ts'
import { readDetail } from '../webhook/detail.ts'

export const testdetail: ServiceType = {
  name: 'testdetail',
  title: 'Test detail',
  summary:
    'Asks nobody: knows every supporter, and keeps the last 200 questions in an inbox to look at, for a day, whichever node they came to. An address that begins with `unknown@`, `broken@` or `slow@` is not found, answered wrongly, or not in time.',
  credentials: { fields: {} },
  functions: ['detail'],
  batch: 1,
  calls: ['lookup', 'inbox'],
  async open(_, { clock, inbox }) {
    return {
      check: async () => `Test detail answers: ${(await inbox.list()).length} questions are kept to look at`,
      calls: {
        async lookup(lookup, signal) {
          await inbox.add([{ at: clock.now(), lookup }])
          return answer(lookup, new Date(clock.now()).toISOString(), signal)
        },
        inbox: () => inbox.list(),
      },
    }
  },
}

async function answer({ email, contactRef }: LookupInput, now: string, signal: AbortSignal): Promise<Detail> {
  const name = email.split('@')[0]
  if (name === 'unknown') fail('not_found', 'Test detail does not know this address, as asked')
  if (name === 'broken') return readDetail({ privacy: 'yes' })
  if (name === 'slow') await new Promise(resolve => signal.addEventListener('abort', resolve))
  return readDetail({
    privacy: { optIn: true, givenAt: now, emailStatus: 'double_opt_in', emailStatusChanged: now },
    action: { customFields: { contactRef, name } },
  })
}
