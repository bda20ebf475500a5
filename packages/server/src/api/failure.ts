/** From whatever went wrong to an answer: pg-hooks' error shape, or problem+json for who accepts it. */
import { STATUS_CODES } from 'node:http'
import { errorAliases, Problem } from '@posthorn/contract'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'

export interface FailureOptions {
  /** Recognises errors of other rooms that callers may know of. */
  readonly translate: (error: unknown) => Problem | null
  readonly unexpected: (error: unknown, requestId: string) => void
}

export function createFailureHandler(options: FailureOptions) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    let problem = error instanceof Problem ? error : (fromFramework(error, request) ?? options.translate(error))
    if (!problem) {
      options.unexpected(error, request.id)
      problem = new Problem('internal', { requestId: request.id })
    }
    sendProblem(problem, request, reply)
  }
}

export function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  reply.code(problem.status)
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="posthorn"')
  if (problem.status === 503) reply.header('retry-after', '1')
  reply.header('vary', 'accept')
  const { type, body } = renderProblem(problem, request.headers.accept)
  reply.type(type).serializer(String).send(body)
}

/** The content type and text of an answer that tells of a problem. */
export function renderProblem(problem: Problem, accept: string | undefined): { type: string; body: string } {
  const { code, status, title, message, details } = problem
  const named = Object.keys(details).length > 0 ? { details } : {}
  if (accept?.includes('application/problem+json')) {
    const type = `/documentation/#error-${code}`
    const body = JSON.stringify({ type, title, status, detail: message, code, ...named })
    return { type: 'application/problem+json; charset=utf-8', body }
  }
  const answer = {
    statusCode: status,
    code: errorAliases[code] ?? code,
    error: STATUS_CODES[status],
    message,
    ...named,
  }
  return { type: 'application/json; charset=utf-8', body: JSON.stringify(answer) }
}

/** What Fastify says of a request, in the catalogue's words. */
export function fromFramework(error: unknown, request: FastifyRequest): Problem | null {
  const { code, message, statusCode } = error as FastifyError
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new Problem('body_too_large', { limit: request.routeOptions.bodyLimit ?? 0 })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new Problem('unsupported_media_type', { type: request.headers['content-type'] ?? 'none' })
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
      return new Problem('invalid_json', { problem: 'it does not parse' })
    default:
      // Of what remains, only Fastify's own words about a request are known to hold nothing of ours.
      return code?.startsWith('FST_') && statusCode && statusCode < 500
        ? new Problem('validation_failed', { problem: message })
        : null
  }
}
