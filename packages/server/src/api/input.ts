/** From a checked request to an operation's flat input. */
import type { IncomingHttpHeaders } from 'node:http'
import { inputParts, type Operation } from '@posthorn/contract'
import type { TObject } from '@sinclair/typebox'
import { readFound, readListQuery } from './list-query.ts'
import { objectToPayload } from './payload.ts'

type Values = Record<string, unknown>

/** What a call brings, by where it stands in a request. */
export interface Brought {
  readonly params: unknown
  readonly query: unknown
  readonly headers: IncomingHttpHeaders
  body: unknown
}

/** Reads the input of one operation. @throws Problem for what the schemas could not say */
export function inputReader(operation: Operation, maxBodyBytes: number): (request: Brought) => Values {
  const { path, headers, query } = inputParts(operation)
  const { of, list, each } = operation
  const carriesHeaders = 'headers' in operation.input.properties
  return request => {
    const input: Values = list ? { ...readListQuery(of!, request.query as Values) } : ((request.body as Values) ?? {})
    for (const { input: name, wire } of headers) {
      if (request.headers[wire] !== undefined) input[name] = request.headers[wire]
    }
    for (const { input: name, wire } of query) {
      if ((request.query as Values)[wire] !== undefined) input[name] = (request.query as Values)[wire]
    }
    // Last: what the path names cannot be told otherwise by a body.
    for (const { input: name, wire } of path) input[name] = (request.params as Values)[wire]
    const fault = carriesHeaders ? objectToPayload(input, maxBodyBytes, 'body') : null
    if (fault) throw fault
    return each ? Object.assign(input, readFound(of!, request.query as Values)) : input
  }
}

/** `fields=a,b` and `fields=a&fields=b` are the same. */
export function splitFields(query: unknown): void {
  const { fields } = query as { fields?: string | string[] }
  if (fields !== undefined) (query as Values).fields = String(fields).split(',')
}

/** Takes null for not given where a field cannot be null: coercion would make 0 or '' of it. */
export function nullDropper(schema: TObject): (body: unknown) => void {
  const strict = Object.entries(schema.properties)
    .filter(([, { type }]) => type !== 'null' && !(Array.isArray(type) && type.includes('null')))
    .map(([name]) => name)
  return body => {
    for (const name of strict) if ((body as Values)[name] === null) delete (body as Values)[name]
  }
}
