/** From what a handler gives to an answer: selection of fields, headers of a page, the place of a record. */
import { Readable } from 'node:stream'
import type { Download, Found, ListQuery, Operation, Page } from '@posthorn/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodeCursor } from './list-query.ts'

type Row = Readonly<Record<string, unknown>>
type Answer = (request: FastifyRequest, reply: FastifyReply, input: unknown, output: unknown) => unknown

export function answerer(operation: Operation): Answer {
  if (operation.list) {
    return (request, reply, input, output) => answerPage(request, reply, input as ListQuery, output as Page<Row>)
  }
  if (operation.streamed) return (_request, reply, _input, output) => answerBytes(reply, output as Download)
  if (!operation.of) return (_request, _reply, _input, output) => output
  if (operation.each) return (_request, _reply, input, output) => selectAll(input as Found, output as Row[])
  const place = placeOf(operation)
  return (request, reply, _input, output) => {
    const row = output as Row
    if (place) reply.header('location', `${place}${row.id}`)
    const { fields } = request.query as { fields?: readonly string[] }
    return fields ? select(row, fields) : row
  }
}

/** Somebody else's bytes: no browser is to take them for a page of ours. */
function answerBytes(reply: FastifyReply, { contentType, bytes, stream }: Download): FastifyReply {
  reply.header('content-type', contentType)
  reply.header('content-disposition', 'attachment').header('x-content-type-options', 'nosniff')
  if (bytes !== null) reply.header('content-length', bytes)
  return reply.send(Readable.from(stream, { objectMode: false }))
}

/** Where a record that was stored is found; null for an operation that stores none of its own. */
function placeOf({ verb, of }: Operation): string | null {
  return verb === 'POST' || verb === 'PUT' ? `/${of!.plural}/` : null
}

function answerPage(request: FastifyRequest, reply: FastifyReply, query: ListQuery, page: Page<Row>): readonly Row[] {
  if (page.totalCount !== null) reply.header('x-total-count', page.totalCount)
  const { items } = page
  if ((request.query as { cursor?: boolean }).cursor && items.length > 0) {
    reply.header('x-start-after', encodeCursor(query.orderBy, items.at(-1)!))
    reply.header('x-end-before', encodeCursor(query.orderBy, items[0]!))
  }
  return selectAll(query, items)
}

function selectAll({ fields }: Pick<Found, 'fields'>, rows: readonly Row[]): readonly Row[] {
  return fields ? rows.map(row => select(row, fields)) : rows
}

function select(row: Row, fields: readonly string[]): Row {
  return Object.fromEntries(fields.map(field => [field, row[field]]))
}
