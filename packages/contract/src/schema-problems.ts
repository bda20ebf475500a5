/** What is wrong with a value that a person wrote, in sentences that name the place. Values are never repeated: they may be secrets. */
import type { TSchema } from '@sinclair/typebox'
import { nearest } from './nearest.ts'

type Values = Readonly<Record<string, unknown>>

/** One sentence for each fault of the value; a schema that is `refused` says why. */
export function schemaProblems(schema: TSchema, value: unknown, place: string): string[] {
  if (typeof schema.refused === 'string') return [`${place} is not supported: ${schema.refused}`]
  if (schema.anyOf) return choiceProblems(schema, value, place)
  switch (schema.type) {
    case 'object':
      return isObject(value)
        ? objectProblems(schema, value, place)
        : [`${place} must be ${schema.description ?? 'an object'}`]
    case 'array':
      return Array.isArray(value) && value.length >= (schema.minItems ?? 0)
        ? value.flatMap((item, i) => schemaProblems(schema.items, item, `${place}[${i}]`))
        : [`${place} must be ${schema.description ?? 'a list'}`]
    default:
      return isScalar(schema, value) ? [] : [`${place} must be ${schema.description ?? `a ${schema.type}`}`]
  }
}

/** Of the choices, the faults of the one that is of the value's kind. */
function choiceProblems(schema: TSchema, value: unknown, place: string): string[] {
  const choices = schema.anyOf as TSchema[]
  if (choices.some(choice => schemaProblems(choice, value, place).length === 0)) return []
  const alike = choices.find(choice => choice.type === 'object' && isObject(value))
  return alike ? schemaProblems(alike, value, place) : [`${place} must be ${schema.description}`]
}

function objectProblems(schema: TSchema, value: Values, place: string): string[] {
  const [each] = Object.values((schema.patternProperties ?? {}) as Record<string, TSchema>)
  if (each) return Object.entries(value).flatMap(([name, item]) => schemaProblems(each, item, `${place}.${name}`))
  const properties = schema.properties as Record<string, TSchema>
  const known = Object.keys(properties).filter(name => properties[name]!.refused === undefined)
  const missing = ((schema.required ?? []) as string[]).filter(name => value[name] === undefined)
  return [
    ...missing.map(name => `${place}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, item]) =>
      Object.hasOwn(properties, name)
        ? schemaProblems(properties[name]!, item, `${place}.${name}`)
        : [`${place}.${name} is not known; the nearest is ${nearest(name, known)}`],
    ),
  ]
}

function isScalar(schema: TSchema, value: unknown): boolean {
  if (schema.enum) return schema.enum.includes(value)
  if (schema.type === 'integer') return Number.isInteger(value) && isWithin(schema, value as number)
  if (typeof value !== schema.type) return false
  if (typeof value !== 'string') return true
  return value.length >= (schema.minLength ?? 0) && (!schema.pattern || new RegExp(schema.pattern).test(value))
}

const isWithin = ({ minimum, maximum }: TSchema, value: number): boolean =>
  value >= (minimum ?? -Infinity) && value <= (maximum ?? Infinity)

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
