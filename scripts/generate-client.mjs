/**
 * Writes the client's routes and types from the contract, flat: who uses the client needs neither TypeBox nor deep
 * inference. With `--check` it writes nothing and fails if a file differs from what it would write.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root } from './run.mjs'
import { giveUp, say } from './say.mjs'

const FOLDER = join(root, 'packages/client/src/generated')
const GENERATED = '// Generated from packages/contract by `node scripts/generate-client.mjs`. Change it there.\n'

/** The files of the client that follow from the contract, by name. */
export function renderClient(contract) {
  const operationEntries = contract.operationEntries.filter(([, operation]) => !operation.alike)
  const own = { ...contract, operationEntries }
  return { 'routes.ts': renderRoutes(own), 'types.ts': renderTypes(own) }
}

function renderRoutes({ operationEntries, inputParts }) {
  const rows = operationEntries.map(([name, operation]) => {
    const { path } = inputParts(operation)
    const route = {
      verb: operation.verb,
      path: operation.path,
      pathNames: Object.fromEntries(path.map(({ input, wire }) => [wire, input])),
      list: operation.list,
      each: operation.each !== null,
      ...(operation.streamed && { streamed: true }),
    }
    return `  '${name}': ${print(route)},\n`
  })
  return `${GENERATED}
export interface Route {
  readonly verb: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** Which part of the input stands where in the path. */
  readonly pathNames: Readonly<Record<string, string>>
  readonly list: boolean
  /** Changes all that \`where\` finds: it goes into the URL, the rest into the body. */
  readonly each: boolean
  /** Answers bytes, as they come. */
  readonly streamed?: true
}

export const routes: Readonly<Record<string, Route>> = {
${rows.join('')}}
`
}

function renderTypes(contract) {
  const resources = Object.values(contract.resources)
  return [
    GENERATED,
    `export type ErrorCode =\n${Object.keys(contract.errors)
      .map(code => `  | '${code}'\n`)
      .join('')}`,
    LISTS,
    ...resources.map(resource => renderInterface(pascal(resource.name), resource.row, resource.summary)),
    ...resources.map(renderFilter),
    ...contract.operationEntries.map(([name, operation]) => renderInput(name, operation)),
    renderOperations(contract),
  ].join('\n')
}

const LISTS = `export interface Comparison<T> {
  eq?: T
  neq?: T
  gt?: T
  gte?: T
  lt?: T
  lte?: T
  like?: string
  ilike?: string
  in?: readonly T[]
  nin?: readonly T[]
}

export interface ListInput<Where, Sortable extends string> {
  /** 10 if not given, at most 100. */
  limit?: number
  offset?: number
  /** All of these hold. */
  where?: Where
  /** In the order given. */
  orderBy?: readonly (readonly [field: Sortable, direction: 'asc' | 'desc'])[]
  /** Asks for the page's total count. */
  totalCount?: boolean
  /** Asks for the page's cursors; the order must then contain the primary key. */
  cursor?: boolean
  startAfter?: string
  endBefore?: string
}

export interface Page<Row> {
  items: Row[]
  /** Null unless asked for. */
  totalCount: number | null
  /** What to give as \`startAfter\` for the page behind this one; null unless asked for, or if the page is empty. */
  startAfter: string | null
  endBefore: string | null
}

/** Bytes as they come. */
export interface Download {
  contentType: string
  /** Null where nobody said how many. */
  bytes: number | null
  /** Ends with an error if it breaks off. */
  stream: ReadableStream<Uint8Array>
}
`

function renderFilter({ name, fields }) {
  const filters = Object.entries(fields).filter(([, field]) => field.filter)
  const sorts = Object.entries(fields).filter(([, field]) => field.sort)
  const lines = filters.map(([field, { type }]) => `  ${field}?: Comparison<${typeOf(type)}>\n`)
  return `export interface ${pascal(name)}Where {\n${lines.join('')}}

export type ${pascal(name)}Sortable = ${sorts.map(([field]) => `'${field}'`).join(' | ')}\n`
}

function renderInput(name, operation) {
  const title = inputName(name)
  const { batch } = operation
  if (batch) {
    const { [batch.items]: _, ...rest } = operation.input.properties
    const items = `  ${batch.items}: readonly ${inputName(batch.operation)}[]\n`
    return renderInterface(title, { ...operation.input, properties: rest }, `Input of ${name}.`, items)
  }
  if (operation.each) {
    const where = `  /** All of these hold; there must be one. */\n  where: ${pascal(operation.of.name)}Where\n`
    return renderInterface(title, operation.input, `Input of ${name}.`, where)
  }
  if (!operation.list) return renderInterface(title, operation.input, `Input of ${name}.`)
  const resource = pascal(operation.of.name)
  const own = Object.entries(operation.input.properties).map(([field, schema]) => `  ${field}: ${typeOf(schema)}\n`)
  const body = own.length > 0 ? `{\n${own.join('')}}` : '{}'
  return `/** Input of ${name}. */\nexport interface ${title} extends ListInput<${resource}Where, ${resource}Sortable> ${body}\n`
}

function renderOperations({ operationEntries }) {
  const groups = groupByFirst(operationEntries)
  const interfaces = Object.entries(groups).map(([group, entries]) => {
    const methods = entries.map(([name, operation]) => {
      const optional = (operation.input.required ?? []).length === 0 ? '?' : ''
      const method = name.split('.')[1]
      const signature = `${method}(input${optional}: ${inputName(name)}, options?: Options): Promise<${outputOf(operation)}>`
      return `  /** ${operation.summary} */\n  ${signature}\n`
    })
    return `export interface ${pascal(group)}Operations<Options> {\n${methods.join('')}}\n`
  })
  const members = Object.keys(groups).map(group => `  readonly ${group}: ${pascal(group)}Operations<Options>\n`)
  return `${interfaces.join('\n')}\nexport interface Operations<Options> {\n${members.join('')}}\n`
}

function groupByFirst(entries) {
  const groups = {}
  for (const entry of entries) {
    const [group] = entry[0].split('.')
    groups[group] = [...(groups[group] ?? []), entry]
  }
  return groups
}

function outputOf({ of, list, each, streamed, output }) {
  if (streamed) return 'Download'
  if (!of) return typeOf(output)
  if (each) return `${pascal(of.name)}[]`
  return list ? `Page<${pascal(of.name)}>` : pascal(of.name)
}

function renderInterface(name, schema, summary, first = '') {
  const comment = summary ? `/** ${summary} */\n` : ''
  const fields = Object.entries(schema.properties).map(([field, property]) => {
    const optional = schema.required?.includes(field) ? '' : '?'
    const described = property.description ? `  /** ${property.description} */\n` : ''
    return `${described}  ${field}${optional}: ${typeOf(property)}\n`
  })
  return `${comment}export interface ${name} {\n${first}${fields.join('')}}\n`
}

/** A JSON Schema as a TypeScript type on one line. */
function typeOf(schema) {
  if (schema.enum) return schema.enum.map(literal).join(' | ')
  if ('const' in schema) return literal(schema.const)
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' | ')
  return [schema.type]
    .flat()
    .map(type => plainType(type, schema))
    .join(' | ')
}

function plainType(type, { items, properties, required, additionalProperties, patternProperties }) {
  switch (type) {
    case undefined:
      return 'unknown'
    case 'integer':
    case 'number':
      return 'number'
    case 'array':
      return /[ |]/.test(typeOf(items)) ? `(${typeOf(items)})[]` : `${typeOf(items)}[]`
    case 'object': {
      if (properties) return objectType(properties, required)
      const values = patternProperties ? Object.values(patternProperties)[0] : additionalProperties
      return `Record<string, ${values?.type ? typeOf(values) : 'unknown'}>`
    }
    default:
      return type
  }
}

function objectType(properties, required = []) {
  const fields = Object.entries(properties).map(
    ([name, schema]) => `${name}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`,
  )
  return `{ ${fields.join('; ')} }`
}

const literal = value => (typeof value === 'string' ? `'${value}'` : String(value))

const pascal = word => word[0].toUpperCase() + word.slice(1)

const inputName = name => `${name.split('.').map(pascal).join('')}Input`

function print(value) {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value !== 'object') return String(value)
  const members = Object.entries(value).map(
    ([key, member]) => `${/^\w+$/.test(key) ? key : `'${key}'`}: ${print(member)}`,
  )
  return members.length > 0 ? `{ ${members.join(', ')} }` : '{}'
}

async function main() {
  const { build } = await import('./build.mjs')
  if (!(await build({ only: ['contract'] }))) giveUp('the build failed; what the compiler found stands above.')
  const files = renderClient(await import('../packages/contract/dist/index.js'))
  const outdated = Object.entries(files).filter(([name, text]) => readIfThere(join(FOLDER, name)) !== text)
  if (process.argv.includes('--check')) {
    if (outdated.length > 0)
      giveUp(`out of step: ${outdated.map(([name]) => name)}; run "node scripts/generate-client.mjs"`)
    return
  }
  for (const [name, text] of outdated) {
    mkdirSync(dirname(join(FOLDER, name)), { recursive: true })
    writeFileSync(join(FOLDER, name), text)
    say(`wrote packages/client/src/generated/${name}`)
  }
}

function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
