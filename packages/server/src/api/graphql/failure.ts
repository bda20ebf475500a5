/** From what went wrong to GraphQL's errors: pg-hooks' shapes and statuses, with the code of our catalogue. */
import { errors as catalogue, Problem } from '@posthorn/contract'
import type { FastifyRequest } from 'fastify'
import { type ExecutionResult, GraphQLError, type GraphQLFormattedError } from 'graphql'
import { type FailureOptions, fromFramework } from '../failure.ts'
import { withoutValues } from './withheld-values.ts'

interface Failed {
  readonly data?: ExecutionResult['data']
  readonly errors?: readonly Error[]
}

export interface FailureAnswer {
  readonly statusCode: number
  readonly response: { readonly data: ExecutionResult['data'] | null; readonly errors: GraphQLFormattedError[] }
}

export type FormatFailure = (failed: Failed, request: FastifyRequest) => FailureAnswer

/** Gives what formats a failed execution. With data, be it only nulls, the status is 200, else that of the first error. */
export function createFailureFormat(options: FailureOptions): FormatFailure {
  return ({ data, errors = [] }, request) => {
    const told = errors.flatMap(unpack).map(error => ({ error, problem: problemOf(error, options, request) }))
    return {
      statusCode: data ? 200 : (told[0]?.problem.status ?? 500),
      response: { data: data ?? null, errors: told.map(({ error, problem }) => describe(error, problem)) },
    }
  }
}

/** Those that validation found come inside of one. */
function unpack(error: Error): readonly Error[] {
  return (originOf(error) as { errors?: readonly Error[] }).errors ?? [error]
}

function originOf(error: Error): Error {
  return (error instanceof GraphQLError && error.originalError) || error
}

function describe(error: Error, problem: Problem): GraphQLFormattedError {
  const { locations, path, extensions } = error as Partial<GraphQLError>
  const details = Object.keys(problem.details).length > 0 ? { details: problem.details } : {}
  return {
    message: problem.message,
    ...(locations && { locations }),
    ...(path && { path }),
    extensions: { code: problem.code, ...details, ...extensions },
  }
}

function problemOf(error: Error, options: FailureOptions, request: FastifyRequest): Problem {
  const origin = originOf(error)
  if (origin instanceof Problem) return origin
  const known = aboutTheQuery(error, origin) ?? fromFramework(origin, request) ?? options.translate(origin)
  if (known) return known
  options.unexpected(origin, request.id)
  return new Problem('internal', { requestId: request.id })
}

/** What graphql and mercurius say of a query holds nothing of ours. */
function aboutTheQuery(error: Error, origin: Error): Problem | null {
  const { code = '', statusCode = 500 } = origin as { code?: string; statusCode?: number }
  if (error.message === METHOD_TEXT) return new Problem('method_not_allowed', {})
  const ofGraphql = origin instanceof GraphQLError && !(error as GraphQLError).path
  const ofMercurius = code.startsWith('MER_') && statusCode < 500
  return ofGraphql || ofMercurius ? new Problem('validation_failed', { problem: withoutValues(error.message) }) : null
}

const METHOD_TEXT = catalogue.method_not_allowed.text
