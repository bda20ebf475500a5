/**
 * Writes the reference pages: settings, errors, REST and operational events from the contract, services from their
 * catalogue, what is covered of pg-hooks from its tests. With `--check` it writes nothing and fails if a page
 * differs from what it would write.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { install } from './install.mjs'
import { root, runTool } from './run.mjs'
import { giveUp, say } from './say.mjs'

const FOLDER = join(root, 'docs/reference')
const generatedFrom = place => `<!-- Generated from ${place} by \`node scripts/docs.mjs\`. Change it there. -->`

await install()
if (!(await build({ quick: true }))) giveUp('the build failed; what the compiler found stands above.')
const contract = await import('../packages/contract/dist/index.js')
const services = join(root, 'packages/server/dist/services')
const { SERVICES } = await import(`${services}/catalogue.js`)
const { CALLS } = await import(`${services}/calls.js`)
const { FAULTS } = await import(`${services}/faults.js`)
const { METRICS } = await import('../packages/server/dist/run/metric-list.js')

const pages = {
  'settings.md': settingsPage(),
  'errors.md': errorsPage(),
  'rest.md': restPage(),
  'operational-events.md': operationalEventsPage(),
  'services.md': servicesPage(),
  'metrics.md': metricsPage(),
}
mkdirSync(FOLDER, { recursive: true })
const outdated = Object.entries(pages).filter(([name, text]) => read(join(FOLDER, name)) !== text)
const checks = process.argv.includes('--check')
await coveragePage()
if (checks) {
  if (outdated.length > 0)
    giveUp(`out of step: ${outdated.map(([name]) => name).join(', ')}; run "node scripts/docs.mjs"`)
} else {
  for (const [name, text] of outdated) {
    writeFileSync(join(FOLDER, name), text)
    say(`wrote docs/reference/${name}`)
  }
}

/** The page is a snapshot of the test that derives it, and that also fails where an item is covered by nothing. */
async function coveragePage() {
  const test = 'packages/server/test/pg-hooks/coverage.test.ts'
  const snapshots = `--update=${checks ? 'none' : 'all'}`
  const args = ['run', '--project=units', '--reporter=dot', snapshots, test]
  const { code, output } = await runTool('vitest/vitest.mjs', args, { capture: true })
  if (code !== 0) giveUp(`docs/reference/pg-hooks-coverage.md: run "node scripts/docs.mjs"\n${output}`)
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function settingsPage() {
  const rows = contract
    .describeConfig()
    .map(setting => [
      `\`${setting.name}\``,
      setting.summary,
      setting.kind,
      setting.default === '' ? '–' : `\`${setting.default}\``,
      [setting.variable, ...setting.otherVariables].map(name => `\`${name}\``).join(', '),
    ])
  return page(
    'Settings',
    `Every setting can stand in a file (\`${contract.configFileDefault}\`, or the one that \`${contract.configFileVariable}\` or
\`--config\` names), in the environment, or be a flag (\`databaseUrl\` is \`--database-url\`). A flag wins over the environment,
and the environment over the file. A name that is not known is refused, with the nearest that is.`,
    table(['setting', 'what it is', 'value', 'default', 'environment'], rows),
  )
}

function errorsPage() {
  const aliases = Object.entries(contract.errorAliases).map(([code, alias]) => `\`${alias}\` for \`${code}\``)
  const rows = Object.entries(contract.errors).map(([code, { status, title, text }]) => [
    `\`${code}\``,
    status,
    title,
    text,
  ])
  return page(
    'Errors',
    `Answers that are not 2xx carry one of these codes. Who accepts \`application/problem+json\` gets that (RFC 9457), and so does
the client. Everybody else gets the shape that pg-hooks has, \`{ statusCode, code, error, message, details }\`, with the codes
that its clients look for: ${aliases.join(', ')}. What stands in braces is a member of \`details\`. Over GraphQL the code and
the details are in \`extensions\`.`,
    table(['code', 'status', 'what it is', 'text'], rows),
  )
}

function restPage() {
  const operations = contract.operationEntries.map(([name, operation]) => [
    `\`${operation.verb} ${operation.path}\``,
    operation.summary,
    `\`${name}\``,
    [...new Set(contract.neededRights(operation))].map(right => `\`${right}\``).join(', '),
    [...new Set(operation.errors)].map(code => `\`${code}\``).join(', ') || '–',
  ])
  const resources = Object.values(contract.resources).map(resourceSection)
  return page(
    'REST',
    `A running node serves its OpenAPI document at \`/documentation/json\` and a page to read it on at \`/documentation/\`.
Fields and parameters that name nothing are ignored, as in pg-hooks: \`where.stauts.eq=dead\` lists all messages. A change of many
refuses such parameters, and GraphQL refuses both. Any operation may
also answer what any operation may: ${contract.commonErrors.map(code => `\`${code}\``).join(', ')}. What the codes mean is in [errors.md](errors.md). Which rights a caller needs matters with
[rules](../guides/access.md); the holder of the admin secret has them all.`,
    `## Operations\n\n${table(['route', 'what it does', 'operation', 'rights', 'errors of its own'], operations)}\n${resources.join('')}`,
  )
}

function resourceSection({ plural, summary, row, create, update, defaults }) {
  const names = [...new Set([row, create, update].flatMap(schema => Object.keys(schema.properties)))]
  const rows = names.map(name => [
    `\`${name}\``,
    describeSchema(row.properties[name] ?? create.properties[name]),
    create.required?.includes(name) ? 'required' : name in create.properties ? 'yes' : '–',
    name in update.properties ? 'yes' : '–',
    name in defaults ? `\`${JSON.stringify(defaults[name])}\`` : '–',
  ])
  return `\n## ${plural[0].toUpperCase()}${plural.slice(1)}\n\n${summary}\n\n${table(['field', 'value', 'at creation', 'in a change', 'default'], rows)}`
}

function metricsPage() {
  const rows = Object.entries(METRICS).map(([name, { kind, help, label, buckets }]) => [
    `\`posthorn_${name}\``,
    kind,
    help,
    label
      ? label
          .split(', ')
          .map(one => `\`${one}\``)
          .join(', ')
      : '–',
    buckets ? buckets.join(', ') : '–',
  ])
  return page(
    'Metrics',
    `What a node tells at \`/metrics\`, in Prometheus' text format. The page is for the holder of the admin secret, and each node tells of
itself: add them up. [Observability](../guides/observability.md) says what to look at.`,
    table(['metric', 'kind', 'what it is', 'labels', 'buckets'], rows),
    'packages/server/src/run/metric-list.ts',
  )
}

function operationalEventsPage() {
  const events = Object.entries(contract.operationalEvents)
  const sections = events.map(([type, { summary, data }]) => {
    const rows = Object.entries(data.properties).map(([name, schema]) => [`\`${name}\``, describeSchema(schema)])
    return `\n## ${type}\n\n${summary}\n\n${table(['in `data`', 'value'], rows)}`
  })
  return page(
    'Operational events',
    `What an installation tells its operator. [The guide](../guides/operational-events.md) says how to receive them. Each is logged
and counted (\`posthorn_operational_events_total\`, by \`type\`), and put on the queue that \`operationalEventsQueue\` names, as JSON in the
shape of Standard Webhooks. A type may get further members: pass over what you do not know.

\`\`\`json
{ "type": "workers.gone", "timestamp": "2026-03-01T12:00:00.000Z", "data": { "goneMs": 9000 } }
\`\`\``,
    `| type | when |\n| --- | --- |\n${events.map(([type, { summary }]) => `| [\`${type}\`](#${type.replaceAll('.', '')}) | ${summary} |\n`).join('')}${sections.join('')}`,
  )
}

/** A schema in words, as far as words help. */
function describeSchema(schema) {
  const choices = schema.enum ?? schema.anyOf?.flatMap(({ const: value }) => (value === undefined ? [] : [value]))
  const kind = choices?.length ? choices.filter(value => value !== null).join(', ') : kindOf(schema)
  const { minimum, maximum } = schema
  const bounds = maximum === undefined || maximum > 1e9 ? '' : ` from ${minimum} to ${maximum}`
  return [`${kind}${bounds}`, schema.description].filter(Boolean).join('. ')
}

function kindOf({ type, format, anyOf, items }) {
  if (type === 'array' && items) return `array of ${kindOf(items)}`
  if (type) return [type].flat().join(' or ') + (format ? ` (${format})` : '')
  return anyOf ? [...new Set(anyOf.map(kindOf))].join(' or ') : 'any'
}

function servicesPage() {
  const calls = Object.entries(CALLS).map(([name, text]) => [
    `\`${name}\``,
    text,
    SERVICES.filter(service => service.calls.includes(name))
      .map(service => `\`${service.name}\``)
      .join(', '),
  ])
  const faults = Object.entries(FAULTS).map(([code, { text, retry, about }]) => [
    `\`${code}\``,
    text,
    retry ? 'yes' : 'no',
    about === 'service' ? 'the service' : 'the message',
  ])
  return page(
    'Services',
    `What each service needs, and what it can do. No secret appears in a reason or in the log. Adding a service is [a folder and one line](../guides/adding-a-service.md).`,
    `${SERVICES.map(serviceSection).join('\n')}
## Calls

What can be asked of a service besides delivering.

${table(['call', 'what it does', 'services'], calls)}
## Faults

A message is retried where that can help, and dead with the service's reason where it cannot.

${table(['fault', 'what it means', 'retried', 'trouble of'], faults)}`,
    'packages/server/src/services',
  )
}

function serviceSection({ name, title, summary, functions, batch, credentials, calls }) {
  const fields = Object.entries(credentials.fields).map(([field, rule]) => [
    `\`${field}\``,
    rule.meaning,
    rule.required ? 'required' : (rule.default ?? 'may be left out'),
  ])
  const code = names => names.map(one => `\`${one}\``).join(', ') || 'none'
  const most = functions.some(one => one !== 'detail' && one !== 'storage')
    ? `; at most ${batch} messages at a time`
    : ''
  const needs = fields.length === 0 ? 'It needs no credentials.\n' : table(['field', 'meaning', ''], fields)
  return `## ${name}\n\n${title}. ${summary}\n\nFunctions: ${code(functions)}${most}. Calls: ${code(calls)}.\n\n${needs}`
}

function page(title, text, body, place = 'packages/contract') {
  return `${generatedFrom(place)}\n\n# ${title}\n\n${text}\n\n${body}`
}

function table(heads, rows) {
  const line = cells =>
    `| ${cells.map(cell => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`
  return line(heads) + line(heads.map(() => '---')) + rows.map(line).join('')
}
