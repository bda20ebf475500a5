/** From what a handler gives to an answer: selection of fields, headers of a page, the place of a record. */
import { Readable } from 'node:stream'
import type { Download, Found, ListQuery, Operation, Page } from '@posthorn/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodeCursor } from './list-query.ts'

type Row = Readonly<Record<string, unknown>>
type Answer = (request: FastifyRequest, reply: FastifyReply, input: unknown, output: unknown) => unknown

/** A page as it is given out: the fields asked for, and its cursors where they were. */
export interface ShapedPage {
  readonly items: readonly Row[]
  readonly totalCount: number | null
  readonly startAfter: string | null
  readonly endBefore: string | null
}

export function answerer(operation: Operation): Answer {
  if (operation.list) {
    return (request, reply, input, output) => answerPage(reply, shapePage(request.query, input, output))
  }
  if (operation.streamed) return (_request, reply, _input, output) => answerBytes(reply, output as Download)
  if (!operation.of) return (_request, _reply, _input, output) => output
  if (operation.each) return (_request, _reply, input, output) => shapeRows(input, output)
  const place = placeOf(operation)
  return (request, reply, _input, output) => {
    if (place) reply.header('location', `${place}${(output as Row).id}`)
    return shapeRow(request.query, output)
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

function answerPage(reply: FastifyReply, { items, totalCount, startAfter, endBefore }: ShapedPage): readonly Row[] {
  if (totalCount !== null) reply.header('x-total-count', totalCount)
  if (startAfter !== null) reply.header('x-start-after', startAfter)
  if (endBefore !== null) reply.header('x-end-before', endBefore)
  return items
}

/** @param query what the call said beside the list's question */
export function shapePage(query: unknown, input: unknown, output: unknown): ShapedPage {
  const { orderBy } = input as ListQuery
  const { items, totalCount } = output as Page<Row>
  const isPlaced = (query as { cursor?: boolean }).cursor === true && items.length > 0
  return {
    items: shapeRows(input, items),
    totalCount,
    startAfter: isPlaced ? encodeCursor(orderBy, items.at(-1)!) : null,
    endBefore: isPlaced ? encodeCursor(orderBy, items[0]!) : null,
  }
}

export function shapeRows(input: unknown, rows: unknown): readonly Row[] {
  const { fields } = input as Pick<Found, 'fields'>
  return fields ? (rows as Row[]).map(row => select(row, fields)) : (rows as Row[])
}

export function shapeRow(query: unknown, row: unknown): Row {
  const { fields } = query as { fields?: readonly string[] }
  return fields ? select(row as Row, fields) : (row as Row)
}

function select(row: Row, fields: readonly string[]): Row {
  return Object.fromEntries(fields.map(field => [field, row[field]]))
}
