import type { Clock } from '../clock.ts'
import { Generations } from '../generations.ts'
import type { Detail } from '../services/calls.ts'
import type { BackendCaller, Reach } from './reach.ts'
import { type ServiceUse, serviceFailed } from './service-use.ts'

export interface DetailsOptions {
  readonly use: ServiceUse
  readonly reach: Reach
  readonly clock: Clock
}

interface Remembered {
  readonly at: number
  readonly detail: Detail
}

const FRESH_MS = 60_000
const REMEMBERED = 10_000

export type Details = ReturnType<typeof createDetails>

/** What is known of supporters, by the org's detail backend. What it answered is remembered for a minute; failures are not. */
export function createDetails({ use, reach, clock }: DetailsOptions) {
  const known = new Generations<Remembered, string>(REMEMBERED)
  return {
    /** @throws Problem org_unknown, function_detached, service_failed (fault: not_found, wrong_answer, timeout …) */
    async lookup(caller: BackendCaller, input: { orgName?: string; email: string; contactRef?: string | null }) {
      const { id } = await reach(caller, input.orgName)
      const { email, contactRef = null } = input
      const key = JSON.stringify([id, email.toLowerCase(), contactRef])
      const before = known.get(key)
      if (before && clock.monotonic() - before.at < FRESH_MS) return before.detail as never
      const answer = await use.callFunction(id, 'detail', 'lookup', { email, contactRef })
      if (!answer.ok) throw serviceFailed(answer.service, answer)
      known.set(key, { at: clock.monotonic(), detail: answer.value })
      return answer.value as never
    },
  }
}
