/**
 * Queries that come again and again, carried out without being parsed and validated each time.
 *
 * A client sends the same text with other variables: that validation takes as long as everything else of a put. Only a
 * query that passed it, whatever its variables, is kept; everything else, and whatever then goes wrong before anything
 * ran, is left to mercurius, which so gives all answers that tell of a fault in a query. Texts are kept up to a length
 * each and altogether, those that were not used for longest go first: of queries with their messages as literals, none.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import type { RequestContext } from './calls.ts'
import type { FormatFailure } from './failure.ts'
import { limitRule, MAX_TOKENS } from './limits.ts'

const LONGEST = 4_000
/** A document is some hundred times as large as its text at most. */
const ALTOGETHER = 100_000

export class KnownQueries {
  readonly #schema: GraphQLSchema
  readonly #documents = new Map<string, DocumentNode>()
  #length = 0

  constructor(schema: GraphQLSchema) {
    this.#schema = schema
  }

  get size(): number {
    return this.#documents.size
  }

  /** Null for one that is not to be carried out without another look at it. */
  find(text: string): DocumentNode | null {
    if (text.length > LONGEST) return null
    const known = this.#documents.get(text)
    if (known) {
      // Now the last to go.
      this.#documents.delete(text)
      this.#documents.set(text, known)
      return known
    }
    const document = this.#read(text)
    if (document) this.#keep(text, document)
    return document
  }

  #read(text: string): DocumentNode | null {
    try {
      const document = parse(text, { maxTokens: MAX_TOKENS })
      const isPlain = document.definitions.every(
        definition =>
          definition.kind !== Kind.OPERATION_DEFINITION || definition.operation !== OperationTypeNode.SUBSCRIPTION,
      )
      const isSound = isPlain && validate(this.#schema, document, [...specifiedRules, limitRule(null)]).length === 0
      return isSound ? document : null
    } catch {
      return null
    }
  }

  #keep(text: string, document: DocumentNode): void {
    this.#documents.set(text, document)
    this.#length += text.length
    for (const [oldest] of this.#documents) {
      if (this.#length <= ALTOGETHER) return
      this.#documents.delete(oldest)
      this.#length -= oldest.length
    }
  }
}

export interface KnownQueriesOptions {
  readonly schema: GraphQLSchema
  readonly enter: (headers: FastifyRequest['headers']) => Promise<RequestContext>
  readonly format: FormatFailure
}

interface Asked {
  readonly query?: unknown
  readonly variables?: Readonly<Record<string, unknown>> | null
  readonly operationName?: string | null
}

/** Answers a request whose query is known; others go on to mercurius. */
export function answerKnown({ schema, enter, format }: KnownQueriesOptions) {
  const queries = new KnownQueries(schema)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (request.method !== 'POST' || request.validationError) return
    const { query, variables, operationName } = (request.body ?? {}) as Asked
    const document = typeof query === 'string' ? queries.find(query) : null
    if (!document) return
    const result: ExecutionResult = await execute({
      schema,
      document,
      contextValue: await enter(request.headers),
      variableValues: variables ?? {},
      operationName: operationName ?? null,
    })
    // Without data nothing ran: the variables do not fit, or there is no such operation.
    if (result.data === undefined) return
    if (!result.errors) return reply.send(result)
    const { statusCode, response } = format(result, request)
    return reply.code(statusCode).send(response)
  }
}
