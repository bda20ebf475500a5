import { isUtf8 } from 'node:buffer'
import { Problem } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'

/**
 * Reads JSON strictly: a body that is not UTF-8 would lose bytes in silence, one that is empty is no body, and no key
 * may reach a prototype.
 */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer
    if (bytes.length === 0) return done(null, undefined)
    if (!isUtf8(bytes)) return done(new Problem('invalid_json', { problem: 'it is not UTF-8' }))
    parse(request, bytes.toString(), done)
  })
}

/** Takes a body of any other type as it is. */
export function acceptBytes(app: FastifyInstance): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
}
