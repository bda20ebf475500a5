/** How inputs are checked: pg-hooks' coercion, our formats, and messages that name the field and its bound. */
import { Problem, parseTimestamp, TEXT_PATTERN } from '@posthorn/contract'
import { Ajv } from 'ajv'
import type { FastifySchemaValidationError, FastifyServerOptions } from 'fastify'

/** Defaults are not filled in here: an update would reset what it does not mention. Whoever creates applies them. */
export const validatorOptions: FastifyServerOptions['ajv'] = {
  customOptions: { coerceTypes: 'array', removeAdditional: true, useDefaults: false, verbose: true, strict: false },
  onCreate(ajv: { addFormat(name: string, check: (text: string) => boolean): unknown }) {
    ajv.addFormat('date-time', text => parseTimestamp(text) !== null)
    ajv.addFormat('http-url', isHttpUrl)
  },
}

function isHttpUrl(text: string): boolean {
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && hostname !== '' && username === '' && password === ''
}

let compiler: Ajv | undefined

/** Says what is wrong with a value, which it calls `place`, or null if nothing is. Coerces what is in it. */
export type Checker = (value: unknown, place: string) => Problem | null

/** What checks as the routes' schemas do. */
export function checkerOf(schema: object): Checker {
  if (compiler === undefined) {
    compiler = new Ajv(validatorOptions!.customOptions)
    validatorOptions!.onCreate!(compiler)
  }
  const validate = compiler.compile(schema)
  return (value, place) => (validate(value) ? null : describeFailure(validate.errors as never, place))
}

/** Checks what does not come over HTTP as if it did: the sentence of its first fault, or null. Coerces in place. */
export function objection(schema: object, input: Record<string, unknown>): string | null {
  return checkerOf(schema)(input, 'body')?.message ?? null
}

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': 'a date, or a date with time, such as 2030-01-31T12:00:00Z',
  'http-url': 'an http or https URL without user and password',
}

type Failure = FastifySchemaValidationError & {
  readonly parentSchema?: Readonly<Record<string, unknown>>
  readonly data?: unknown
}

/** @param place `body`, `querystring`, `params`, `headers`, or a path below one of them */
export function describeFailure(failures: readonly FastifySchemaValidationError[], place: string): Problem {
  const failure = mostTelling(failures)
  const field = place + failure.instancePath
  const limit = (failure.params as { limit?: number }).limit
  return new Problem('validation_failed', {
    problem: `${field} ${sentence(failure)}`,
    field: failure.keyword === 'required' ? `${field}/${failure.params.missingProperty}` : field,
    rule: failure.keyword,
    ...(typeof limit === 'number' && { limit }),
  })
}

/** Of a choice that failed altogether, the fault inside the branch that got furthest. */
function mostTelling(failures: readonly FastifySchemaValidationError[]): Failure {
  const whole = failures.at(-1)!
  const depth = (failure: FastifySchemaValidationError): number => failure.instancePath.split('/').length
  return failures.reduce((best, failure) => (depth(failure) > depth(best) ? failure : best), whole)
}

function sentence({ keyword, params, message, parentSchema, data }: Failure): string {
  switch (keyword) {
    case 'type':
      if (ArrayBuffer.isView(data)) return `${message}: bytes go in as text, base64, where a field is for them`
      // Mostly the body of a message: its bytes are signed, and so its caller's to choose.
      return typeof data === 'object' && data !== null && [params.type].flat().includes('string')
        ? `${message}: JSON goes in as text, such as ${JSON.stringify('{"a":1}')}`
        : String(message)
    case 'enum':
      return `${message} (${(params.allowedValues as unknown[]).join(', ')})`
    case 'const':
      return `must be ${JSON.stringify(params.allowedValue)}`
    case 'format':
      return `must be ${FORMATS[params.format as string] ?? params.format}`
    case 'propertyNames':
      return `must not have the name ${JSON.stringify(params.propertyName)}`
    case 'pattern':
    case 'anyOf':
      if (params.pattern === TEXT_PATTERN) return 'must be text without NUL and lone surrogates'
      return parentSchema?.description ? `must be: ${parentSchema.description}` : String(message)
    default:
      return String(message)
  }
}
