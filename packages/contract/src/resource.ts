/**
 * What a resource is: its fields, who may read and write them, and what lists may filter and sort by.
 * Row, create and update schemas and their types follow from one declaration.
 */
import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'

/** `write` fields are secrets or input forms: they go in and never come out. */
export type Access = 'read' | 'write' | 'both'

export interface Field {
  readonly type: TSchema
  /** What is accepted, where that is more than what is given out. */
  readonly input: TSchema
  readonly access: Access
  readonly required: boolean
  /** Taken on create only. */
  readonly fixed: boolean
  readonly secret: boolean
  readonly filter: boolean
  readonly sort: boolean
  /** What a create without the field gets; undefined where a rule decides. */
  readonly default: unknown
}

export interface FieldOptions {
  readonly input?: TSchema
  readonly fixed?: true
  readonly secret?: true
  /** Lists may filter and sort by it, unless said otherwise. */
  readonly filter?: false
  readonly sort?: false
  readonly default?: unknown
}

export interface Declared<Out extends TSchema, In extends TSchema, A extends Access, R extends boolean> extends Field {
  readonly type: Out
  readonly input: In
  readonly access: A
  readonly required: R
}

type Accepted<Out extends TSchema, O> = O extends { readonly input: infer In extends TSchema } ? In : Out

function declarer<A extends Access, R extends boolean>(access: A, required: R) {
  return <Out extends TSchema, O extends FieldOptions>(
    type: Out,
    options?: O,
  ): Declared<Out, Accepted<Out, O>, A, R> => ({
    type,
    input: (options?.input ?? type) as Accepted<Out, O>,
    access,
    required,
    fixed: options?.fixed ?? false,
    secret: options?.secret ?? false,
    filter: options?.filter ?? access !== 'write',
    sort: options?.sort ?? access !== 'write',
    default: options?.default,
  })
}

/** A field that a create must give. */
export const required = declarer('both', true)
export const optional = declarer('both', false)
export const readOnly = declarer('read', false)
export const writeOnly = declarer('write', false)

export type Fields = Readonly<Record<string, Field>>

/** A record that another one leads to: `many` by the other's foreign key, `one` by an own one. */
export type Relation =
  | { readonly kind: 'many'; readonly to: string; readonly by: string }
  | { readonly kind: 'one'; readonly to: string; readonly by: string }

type Flat<T> = { [K in keyof T]: T[K] } & {}
type WritableKeys<F extends Fields> = { [K in keyof F]: F[K]['access'] extends 'read' ? never : K }[keyof F]
type RequiredKeys<F extends Fields> = { [K in keyof F]: F[K]['required'] extends true ? K : never }[keyof F]

export type RowOf<F extends Fields> = {
  [K in keyof F as F[K]['access'] extends 'write' ? never : K]: Static<F[K]['type']>
}
export type CreateOf<F extends Fields> = Flat<
  { [K in RequiredKeys<F>]: Static<F[K]['input']> } & {
    [K in Exclude<WritableKeys<F>, RequiredKeys<F>>]?: Static<F[K]['input']>
  }
>
export type UpdateOf<F extends Fields> = { [K in WritableKeys<F>]?: Static<F[K]['input']> }

/** Who besides the operator may have rights to records of a kind: by a rule of the `authorization` section, by an API key. */
export interface Grants {
  readonly rules: boolean
  readonly keys: boolean
}

const allGrants: Grants = { rules: true, keys: true }
export const keyGrants: Grants = { rules: false, keys: true }
export const withoutGrants: Grants = { rules: false, keys: false }

export interface Resource<F extends Fields = Fields> {
  readonly name: string
  readonly plural: string
  readonly summary: string
  readonly fields: F
  /** What identifies a row and orders lists that ask for no order. */
  readonly primaryKey: readonly string[]
  readonly relations: Readonly<Record<string, Relation>>
  readonly grants: Grants
  readonly row: TObject
  readonly create: TObject
  readonly update: TObject
  /** The declared defaults, by field. */
  readonly defaults: Readonly<Record<string, unknown>>
}

const closed = { additionalProperties: false }

function collect(fields: Fields, pick: (field: Field) => TSchema | null): TProperties {
  const properties: TProperties = {}
  for (const [name, field] of Object.entries(fields)) {
    const schema = pick(field)
    if (schema) properties[name] = schema
  }
  return properties
}

export function resource<const F extends Fields>(declaration: {
  readonly name: string
  readonly plural: string
  readonly summary: string
  readonly fields: F
  readonly primaryKey: readonly (keyof F & string)[]
  readonly relations?: Readonly<Record<string, Relation>>
  readonly grants?: Grants
}): Resource<F> {
  const { fields } = declaration
  const withDefault = (field: Field): TSchema =>
    field.default === undefined ? field.input : { ...field.input, default: field.default }
  const defaults = Object.entries(fields).filter(([, field]) => field.default !== undefined)
  return {
    ...declaration,
    relations: declaration.relations ?? {},
    grants: declaration.grants ?? allGrants,
    row: Type.Object(
      collect(fields, field => (field.access === 'write' ? null : field.type)),
      closed,
    ),
    create: Type.Object(
      collect(fields, field => {
        if (field.access === 'read') return null
        return field.required ? field.input : Type.Optional(withDefault(field))
      }),
      closed,
    ),
    update: Type.Object(
      collect(fields, field => (field.access === 'read' || field.fixed ? null : Type.Optional(field.input))),
      closed,
    ),
    defaults: Object.fromEntries(defaults.map(([name, field]) => [name, field.default])),
  }
}
