/** The same handlers reached in two ways: by the client of @posthorn/client over HTTP, and in process. */
import { type Client, createClient } from '@posthorn/client'
import { type Operation, type OperationName, operationEntries, Problem, type Scope } from '@posthorn/contract'
import type { ApiOptions } from '../../src/api/server.ts'
import { systemClock } from '../../src/clock.ts'
import { DirectCalls } from '../../src/direct/direct-calls.ts'
import { type Log, silentLog } from '../../src/log.ts'
import type { KnownKey } from '../../src/tenant/caller.ts'
import { sampleOf, seed } from '../access/rest-acts.ts'
import { aloneChanges, bareApi } from '../api/bare-api.ts'
import { createFakeHandlers, type FakeState } from '../api/fake-handlers.ts'
import { fakeTenants } from '../api/fake-tenants.ts'

type Method = (input?: object, options?: object) => Promise<unknown>
/** Thrown by a handler, it is what the database says of a commit in doubt. */
export const inDoubt = new Error('in doubt')

/** On a machine that stands still for seconds, a connection may be gone that was kept for the next request. */
const patient: typeof fetch = (url, init) => fetch(url, init).catch(() => fetch(url, init))

export type TwoWays = Awaited<ReturnType<typeof openTwoWays>>

export async function openTwoWays(config: Partial<ApiOptions['config']> = {}) {
  const { handlers, state } = createFakeHandlers()
  const changes = aloneChanges()
  const keys = new Map<string, KnownKey>()
  const tenants = { ...fakeTenants, findKey: (token: string) => keys.get(token) ?? null }
  const logged: { readonly fields: object; readonly message: string }[] = []
  const log: Log = { ...silentLog, error: (fields, message) => void logged.push({ fields, message }) }
  const translate = (error: unknown) => (error === inDoubt ? new Problem('outcome_unknown', {}) : null)
  let held: Promise<void> = Promise.resolve()
  const put: (typeof handlers)['messages.put'] = async (caller, input) => {
    await held
    return handlers['messages.put'](caller, input)
  }
  const shared = { handlers: { ...handlers, 'messages.put': put }, changes, tenants, log, translate }
  const api = bareApi({ ...shared, config })
  const { url } = await api.listen()
  const calls = new DirectCalls({
    ...shared,
    maxBodyBytes: config.maxBodyBytes ?? 1_048_576,
    clock: systemClock,
    tracing: null,
  })
  return {
    state,
    changes,
    calls,
    logged,
    remote: createClient({ url, retries: 0, fetch: patient }),
    direct: calls.client(),
    remoteAs: (apiKey: string) => createClient({ url, retries: 0, fetch: patient, apiKey }),
    /** A key of the instance's org, by its token. */
    addKey(token: string, scopes: readonly Scope[]): string {
      const known = { id: keys.size + 1, orgId: 1, orgName: 'instance', name: 'k', expiresAt: null }
      keys.set(token, { ...known, scopes: new Set(scopes) })
      return token
    },
    /** No put is carried out before this. */
    hold: (until: Promise<void>): void => {
      held = until
      seed(state)
    },
    removeKey: (token: string) => keys.delete(token),
    close: () => api.close(1000),
  }
}

/** Those that clients have a method for. */
export const clientEntries = operationEntries.filter(([, { alike }]) => !alike) as [OperationName, Operation][]

export function methodOf(client: Client, name: OperationName): Method {
  const [group, method] = name.split('.') as [keyof Client, string]
  return (client[group] as unknown as Readonly<Record<string, Method>>)[method]!
}

/** The least that a method takes. */
export function leastInput({ input, each }: Operation): Record<string, unknown> {
  return { ...(sampleOf(input) as object), ...(each && { where: { id: { eq: 1 } } }) }
}

/** All that came of a call: its answer or its error, and what reached the handlers. */
export async function outcomeOf(state: FakeState, call: () => Promise<unknown>) {
  seed(state)
  try {
    const answer = await call()
    return { answer: await read(answer), calls: [...state.calls] }
  } catch (error) {
    const { name, code, status, message, details } = error as Error & Record<string, unknown>
    return { error: { name, code, status, message, details }, calls: [...state.calls] }
  }
}

async function read(answer: unknown): Promise<unknown> {
  const { stream } = (answer ?? {}) as { stream?: ReadableStream }
  return stream ? { ...(answer as object), stream: await new Response(stream).text() } : answer
}
