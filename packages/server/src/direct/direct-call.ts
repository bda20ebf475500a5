/** One operation, called in process: the way of a request from where it has been read to where its answer is written. */
import { type Download, type Operation, type OperationName, operations } from '@posthorn/contract'
import { shapePage, shapeRow, shapeRows } from '../api/answer.ts'
import type { CallContext } from '../api/handlers.ts'
import type { Brought } from '../api/input.ts'
import { type CallRoom, type CallSchema, createCall } from '../api/operation-call.ts'
import { checkerOf } from '../api/validator.ts'
import { bringer } from './brought.ts'
import { copyOf } from './copy.ts'

/** Throws Problem before anything is done; whatever a handler throws comes as a rejection. */
export type DirectCall = (caller: CallContext, input: unknown) => Promise<unknown>

export interface DirectRoom extends CallRoom {
  /** Gives what a stream that broke off ends with. */
  readonly brokeOff: (error: unknown) => Error
}

/** Called more than all others together, it makes its answer anew: to copy it was more than half of what this way costs. */
const ANEW: ReadonlySet<OperationName> = new Set(['messages.put'])

export function createDirectCall(name: OperationName, room: DirectRoom): DirectCall {
  const operation: Operation = operations[name]
  const { schema, bodyLimit, prepare, read, carryOut } = createCall(name, room)
  const bring = bringer(operation, bodyLimit)
  const check = checker(schema)
  const answer = ANEW.has(name) ? null : answerer(operation, room)
  return (caller, given) => {
    const brought = bring(given)
    prepare(caller, brought)
    check(brought)
    const input = read(brought)
    const output = carryOut(caller, input)
    return answer === null ? output : output.then(found => answer(brought.query, input, found))
  }
}

/** Checks the parts in the order in which the server does. @throws Problem validation_failed */
function checker({ params, body, querystring }: CallSchema): (brought: Brought) => void {
  const checks = [
    { place: 'params', schema: params, of: (brought: Brought) => brought.params },
    { place: 'body', schema: body, of: (brought: Brought) => brought.body },
    { place: 'querystring', schema: querystring, of: (brought: Brought) => brought.query },
  ].flatMap(({ schema, ...part }) => (schema ? [{ ...part, check: checkerOf(schema) }] : []))
  return brought => {
    for (const { place, check, of } of checks) {
      const problem = check(of(brought), place)
      if (problem) throw problem
    }
  }
}

type Answer = (query: unknown, input: object, output: unknown) => unknown

function answerer({ streamed, list, each, of }: Operation, { brokeOff }: DirectRoom): Answer {
  if (streamed) return (_query, _input, output) => toDownload(output as Download, brokeOff)
  if (list) return (query, input, output) => copied(shapePage(query, input, output))
  if (each) return (_query, input, output) => copied(shapeRows(input, output))
  return (query, _input, output) => copied(of ? shapeRow(query, output) : output)
}

/** The program may do with it what it likes: parts of it may be known to others here. */
const copied = (output: unknown): unknown => copyOf(output, { left: Number.POSITIVE_INFINITY, limit: 0 })

function toDownload({ contentType, bytes, stream }: Download, brokeOff: DirectRoom['brokeOff']) {
  async function* pieces(): AsyncIterable<Uint8Array> {
    try {
      yield* stream
    } catch (error) {
      throw brokeOff(error)
    }
  }
  return { contentType, bytes, stream: ReadableStream.from(pieces()) }
}
