/**
 * What an operation is: one act with one flat input and one output. Where the parts of the input stand in an HTTP
 * request follows from the path, the verb and `headers`; REST, GraphQL, client and command line are loops over this.
 */
import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { ErrorCode } from './errors.ts'
import type { ListQuery, Page } from './list.ts'
import type { Fields, Resource, RowOf } from './resource.ts'
import { OneOf } from './schema.ts'

export type Verb = 'GET' | 'POST' | 'PUT' | 'DELETE'
export type Right = 'find' | 'save' | 'delete'
export type Scope = `${string}:${Right}`

export interface Operation<In = unknown, Out = unknown> {
  readonly verb: Verb
  /** With `{name}` for each part of the input that stands in the path. */
  readonly path: string
  readonly summary: string
  readonly scope: Scope
  /** Further rights that it takes: it tells of records of these, or hands them out. */
  readonly alsoScopes: readonly Scope[]
  readonly errors: readonly ErrorCode[]
  /** The flat input. Of lists: the path's part only, the rest is `listParameters(row of)`. */
  readonly input: TObject
  readonly output: TSchema
  /** Input names that travel as headers, with the header's name. */
  readonly headers: Readonly<Record<string, string>>
  /** Names in the path whose part of the input is called otherwise. */
  readonly pathNames: Readonly<Record<string, string>>
  /** The resource that comes out, where one does: `fields` may then select from it. */
  readonly of: Resource | null
  /** Answers a page of `of` and takes the list parameters. */
  readonly list: boolean
  /** Follows from other operations by a relation of this resource; nobody writes a handler for it. */
  readonly relation: { readonly of: string; readonly name: string } | null
  /** The operation whose handler answers this one, its input being the same. */
  readonly alike: string | null
  /** Takes a body that is not JSON as the message's own, byte for byte. */
  readonly raw: boolean
  /** Answers bytes as they come, a `Download`, instead of JSON: over REST alone, GraphQL's answers are whole. */
  readonly streamed: boolean
  /** Items of `input[name]` are validated one by one, each as an input of the operation named. */
  readonly batch: Batch | null
  /**
   * Does to each record that `where` finds what the operation named does to one: all of them, or none. Takes `where` and
   * `fields` as lists do (they are not in `input`), and answers with the rows.
   */
  readonly each: string | null
  /**
   * The field by which a record names the one that it was made from: whatever is done to a record is done to those too,
   * so they must be in the caller's reach.
   */
  readonly line: string | null
  /** May change a record that its input does not name: it takes the right to all of them. */
  readonly broad: boolean
  /** Only in types. */
  readonly _in?: In
  readonly _out?: Out
}

export interface Batch {
  readonly items: string
  readonly operation: string
  /** All of them or none, in one commit: always, or where `together` says so. */
  readonly together: 'always' | 'asked'
}

export const MAX_BATCH = 1000

type Flat<T> = { [K in keyof T]: T[K] } & {}
interface Common<P extends TProperties> {
  readonly verb: Verb
  readonly path: string
  readonly summary: string
  readonly scope: Scope
  readonly alsoScopes?: readonly Scope[]
  readonly errors?: readonly ErrorCode[]
  readonly params?: P
  readonly headers?: Readonly<Record<string, string>>
  readonly line?: string
  readonly broad?: true
}
type Params<P extends TProperties> = { [K in keyof P]: Static<P[K]> }

function declare<In, Out>(
  common: Common<TProperties>,
  body: TObject,
  rest: Pick<Operation, 'output' | 'of'> & Partial<Operation>,
): Operation<In, Out> {
  const input = Type.Object({ ...body.properties, ...common.params }, { additionalProperties: false })
  const { params: _, ...declared } = common
  const absent = {
    errors: [],
    alsoScopes: [],
    headers: {},
    pathNames: {},
    list: false,
    relation: null,
    alike: null,
    raw: false,
    streamed: false,
    batch: null,
    each: null,
    line: null,
    broad: false,
  }
  return { ...absent, ...declared, ...rest, input } as Operation<In, Out>
}

/** All rights that an operation takes: following a relation takes the right to find what it is followed from. */
export function neededRights({ scope, alsoScopes, relation }: Operation): readonly Scope[] {
  return [scope, ...alsoScopes, ...(relation ? ([`${relation.of}:find`] as const) : [])]
}

const nothing = Type.Object({})

/** An operation that answers one row. `input` may be given as a type of its own where the schema cannot tell it. */
export const row = <F extends Fields, P extends TProperties, I = Record<never, never>>(
  of: Resource<F>,
  common: Common<P> & { readonly input?: TObject; readonly _input?: I },
) => {
  const { input, _input, ...declared } = common
  return declare<Flat<Params<P> & I>, RowOf<F>>(declared, input ?? nothing, {
    output: of.row,
    of,
  })
}

const listErrors = ['cursor_invalid', 'cursor_without_primary_key', 'list_too_slow'] as const

export const list = <F extends Fields, P extends TProperties>(of: Resource<F>, common: Common<P>) =>
  declare<Flat<Params<P> & ListQuery<keyof RowOf<F> & string>>, Page<RowOf<F>>>(
    { ...common, errors: [...(common.errors ?? []), ...listErrors] },
    nothing,
    { output: Type.Array(of.row), of, list: true },
  )

/** What is said of the records that are changed together; an empty `where` with an empty `anyOf` is refused. */
export type Found<F extends string = string> = Pick<ListQuery<F>, 'where' | 'anyOf' | 'fields'>
const eachErrors = ['where_missing', 'too_many_found', 'list_too_slow'] as const

/** An operation that does to each record that is found what another one does to one. */
export const eachFound = <F extends Fields, I>(
  of: Resource<F>,
  common: Omit<Common<TProperties>, 'params'> & {
    readonly input: TObject
    readonly _input: I | undefined
    readonly each: string
  },
) => {
  const { input, _input, each, errors = [], ...declared } = common
  return declare<Flat<I & Found<keyof RowOf<F> & string>>, RowOf<F>[]>(
    { ...declared, errors: [...errors, ...eachErrors] },
    input,
    { output: Type.Array(of.row), of, each },
  )
}

/** An operation that answers with an object of its own. */
export const act = <I, O extends TSchema, P extends TProperties>(
  common: Common<P> & {
    readonly input?: TObject
    readonly _input?: I
    readonly output: O
    readonly batch?: Operation['batch']
  },
) => {
  const { input, _input, output, batch, ...declared } = common
  return declare<Flat<Params<P> & I>, Static<O>>(declared, input ?? nothing, { output, of: null, batch: batch ?? null })
}

/** Bytes as they come. */
export interface Download {
  readonly contentType: string
  /** Null where nobody said how many. */
  readonly bytes: number | null
  /** Ends with an error if it breaks off. */
  readonly stream: AsyncIterable<Uint8Array>
}

/** An operation that answers with bytes. */
export const download = <I, P extends TProperties>(
  common: Common<P> & { readonly input?: TObject; readonly _input?: I },
) => {
  const { input, _input, ...declared } = common
  return declare<Flat<Params<P> & I>, Download>(declared, input ?? nothing, {
    output: Type.Unsafe<Download>({ type: 'string', contentMediaType: 'application/octet-stream' }),
    of: null,
    streamed: true,
  })
}

const Created = Type.Object({
  results: Type.Array(Type.Object({ result: OneOf(['stored']), id: Type.Integer() }), {
    description: 'In the order in which they were given.',
  }),
})

/** An operation that creates many records of one kind, all of them or none. */
export const createMany = <I>(
  common: Omit<Common<TProperties>, 'verb' | 'params'> & {
    readonly items: string
    readonly operation: string
    readonly input: TObject
    readonly _input: I | undefined
  },
) => {
  const { items, operation, input, ...declared } = common
  return act({
    ...declared,
    verb: 'POST',
    input: Type.Object({ [items]: Type.Array(input, { minItems: 1, maxItems: MAX_BATCH }) }),
    output: Created,
    batch: { items, operation, together: 'always' },
  })
}

/** Marks what follows from a relation. */
export const following = <O extends Operation>(of: { readonly name: string }, name: string, operation: O) =>
  ({ ...operation, relation: { of: of.name, name } }) as O & { readonly relation: { of: string; name: string } }

/** The same act at another path. */
export const alike = <O extends Operation>(
  name: string,
  operation: O,
  other: Pick<Operation, 'path' | 'summary'> & Partial<Pick<Operation, 'raw' | 'pathNames'>>,
) => ({ ...operation, ...other, alike: name }) as O & { readonly alike: string }

/** Gives `input` a type of the caller's. */
export const typed = <T>(): T | undefined => undefined
