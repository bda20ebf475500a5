import { Problem } from '@posthorn/contract'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isAboutHealth } from './health.ts'

/** What a request costs beside its body, so that many small ones are bounded too. */
const OVERHEAD_BYTES = 4096

/**
 * Requests in memory, bounded in bytes, from when their callers are known until they are answered.
 *
 * A request counts with what it says its body has, or with the most that it may have; one that would exceed the bound is
 * refused before its body is read. Who is alone is never refused, and health is always told.
 */
export function boundIntake(app: FastifyInstance, mostBytes: number): void {
  let total = 0
  app.addHook('preParsing', async (request, reply) => {
    if (request.ws || isAboutHealth(request)) return
    const bytes = OVERHEAD_BYTES + bodyBytes(request)
    if (total > 0 && total + bytes > mostBytes) {
      // What is left of its body is not worth reading.
      reply.header('connection', 'close')
      throw new Problem('overloaded', { what: 'bytes of requests', limit: mostBytes })
    }
    total += bytes
    // Also of a caller that goes away, for whom Fastify tells of no response.
    reply.raw.once('close', () => {
      total -= bytes
    })
  })
}

function bodyBytes({ headers, routeOptions }: FastifyRequest): number {
  const most = routeOptions.bodyLimit ?? 0
  const length = headers['content-length']
  if (length !== undefined) return Math.min(Number(length), most)
  return headers['transfer-encoding'] === undefined ? 0 : most
}
