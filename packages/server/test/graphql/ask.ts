/** Asking the server's GraphQL endpoint in tests. */
import type { Served } from '../api/serve.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
type Json = any

export interface GraphqlAnswer {
  readonly status: number
  readonly data: Json
  readonly errors: readonly {
    readonly message: string
    readonly path?: readonly (string | number)[]
    readonly extensions: { readonly code: string; readonly details?: Json }
  }[]
}

export async function ask(
  { call }: Pick<Served, 'call'>,
  query: string,
  variables?: object,
  headers: Record<string, string> = {},
): Promise<GraphqlAnswer> {
  const { status, json } = await call('POST', '/graphql', { query, ...(variables && { variables }) }, headers)
  return { status, data: json.data, errors: json.errors ?? [] }
}

/** The data of a query that must have gone well. */
export async function data(served: Pick<Served, 'call'>, query: string, variables?: object): Promise<Json> {
  const answer = await ask(served, query, variables)
  if (answer.errors.length > 0) throw new Error(JSON.stringify(answer.errors))
  return answer.data
}
