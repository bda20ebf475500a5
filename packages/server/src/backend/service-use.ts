/** Calls on services: by id for an org's own, or by the function that an org has attached one to. */
import { Problem, type ServiceFunction } from '@posthorn/contract'
import type { Executor } from '../db/port.ts'
import type { CallName, Calls } from '../services/calls.ts'
import { type Answer, FaultError } from '../services/faults.ts'
import type { Service } from '../services/port.ts'
import type { SecretBox } from '../tenant/secret-box.ts'
import type { Assignments } from './assignments.ts'
import type { OpenServices } from './open-services.ts'
import { openCredentials, readService, type StoredService } from './stored-service.ts'

export interface ServiceUseOptions {
  readonly db: Executor
  readonly secrets: Pick<SecretBox, 'open'>
  readonly assignments: Assignments
  readonly open: OpenServices
}

export type ServiceUse = ReturnType<typeof createServiceUse>

export function createServiceUse({ db, secrets, assignments, open }: ServiceUseOptions) {
  /** A service that cannot be opened has failed like one that cannot be reached. */
  const useStored = async <T>(
    stored: StoredService,
    run: (service: Service) => Promise<Answer<T>>,
  ): Promise<Answer<T> & { readonly service: string }> => {
    try {
      return await open.use(
        stored,
        () => openCredentials(stored, secrets),
        async service => ({ ...(await run(service)), service: service.type.title }),
      )
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      return { ok: false, fault: error.fault, service: stored.name }
    }
  }

  /** @throws Problem service_not_found */
  const use = async <T>(orgId: number, id: number, run: (service: Service) => Promise<Answer<T>>) => {
    const stored = await readService(db, orgId, id)
    if (!stored) throw new Problem('service_not_found', { id })
    return useStored(stored, run)
  }

  return {
    use,
    /** @throws Problem service_not_found, service_cannot, service_failed */
    async call<C extends CallName>(orgId: number, id: number, name: C, input: Calls[C]['input']) {
      const answer = await use(orgId, id, async service => {
        const call = service.calls[name] as
          | ((input: Calls[C]['input']) => Promise<Answer<Calls[C]['value']>>)
          | undefined
        if (!call) throw new Problem('service_cannot', { id, name: service.type.name, call: name })
        return call(input)
      })
      if (!answer.ok) throw serviceFailed(answer.service, answer)
      return answer.value
    },
    /** @throws Problem function_detached, service_failed */
    async callFunction<C extends CallName>(
      orgId: number,
      work: ServiceFunction,
      name: C,
      input: Calls[C]['input'],
    ): Promise<Answer<Calls[C]['value']> & { readonly service: string }> {
      const assignment = await assignments.find(orgId, work)
      const stored = assignment?.service
      if (!stored)
        throw new Problem('function_detached', { who: `Org ${assignment?.orgName ?? orgId}`, function: work })
      return useStored(stored, service => {
        const call = service.calls[name] as (input: Calls[C]['input']) => Promise<Answer<Calls[C]['value']>>
        return call(input)
      })
    },
  }
}

/** What a service's failure says to a caller: in its own words, with its own code. */
export function serviceFailed(service: string, { fault }: Extract<Answer<never>, { ok: false }>): Problem {
  const { code, reason, serviceCode, status } = fault
  return new Problem('service_failed', {
    service,
    reason: reason.startsWith(`${service}: `) ? reason.slice(service.length + 2) : reason,
    fault: code,
    ...(serviceCode !== null && { serviceCode }),
    ...(status !== null && { serviceStatus: status }),
  })
}
