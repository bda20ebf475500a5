/** What monitors ask: alive, ready, in numbers. Open to all but the numbers, and says nothing that is secret. */
import { Problem } from '@posthorn/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Access } from './access/access.ts'

export interface Health {
  /** False asks for a restart. */
  readonly live: boolean
  /** False asks for no traffic. */
  readonly ready: boolean
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly state: string }>>
}

export interface HealthPort {
  check(): Health | Promise<Health>
}

export type MetricsPort = () => Promise<{ readonly contentType: string; readonly body: string }>

export const isAboutHealth = ({ routeOptions }: FastifyRequest): boolean =>
  routeOptions.url?.startsWith('/health') ?? false

export function addHealth(app: FastifyInstance, health: HealthPort, metrics: MetricsPort, access: Access): void {
  const whole = async (): Promise<Health> => health.check()
  app.get('/health', whole)
  app.get('/health/live', async (_request, reply) => {
    const { live } = await whole()
    return reply.code(live ? 200 : 503).send({ live })
  })
  app.get('/health/ready', async (_request, reply) => {
    const found = await whole()
    return reply.code(found.ready ? 200 : 503).send(found)
  })
  app.get('/metrics', async (request, reply) => {
    const caller = await access.admit(request.headers)
    if (caller instanceof Error) throw caller
    if (caller.rights !== null) throw new Problem('unauthorized', {})
    const { contentType, body } = await metrics()
    return reply.type(contentType).send(body)
  })
}
