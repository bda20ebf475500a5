/** The reference as one page of plain HTML: no script, no asset from elsewhere. */
import { errors, type OpenApiDocument, type OpenApiOperation, type OpenApiParameter } from '@posthorn/contract'

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: #777; --accent: #0a6 }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem 1.5rem 4rem }
code, pre { font: 13px/1.45 ui-monospace, monospace }
pre { overflow: auto; border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem }
table { border-collapse: collapse; width: 100% } td, th { border-top: 1px solid var(--line); padding: .25rem .6rem .25rem 0; text-align: left; vertical-align: top }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .45rem .8rem } details[open] > summary { margin-bottom: .5rem }
summary { cursor: pointer } .verb { color: var(--accent); display: inline-block; font-weight: 600; min-width: 4.5rem } .dim { color: var(--dim) }
h2 { margin-top: 2.2rem }`

export function renderDocumentation(document: OpenApiDocument): string {
  const { info, paths } = document
  const all = Object.entries(paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([verb, operation]) => ({ path, verb, operation })),
  )
  const tags = [...new Set(all.flatMap(({ operation }) => operation.tags))]
  const sections = tags.map(tag => {
    const own = all.filter(({ operation }) => operation.tags.includes(tag))
    return `<h2 id="${tag}">${escapeHtml(tag)}</h2>${own.map(renderOperation).join('')}`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(info.title)} API</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(info.title)} <span class="dim">${escapeHtml(info.version)}</span></h1><p>${escapeHtml(info.description)}</p>
<p><a href="/documentation/json">OpenAPI as JSON</a> · <a href="/documentation/yaml">as YAML</a> · ${tags
    .map(tag => `<a href="#${tag}">${escapeHtml(tag)}</a>`)
    .join(' · ')} · <a href="#errors">errors</a></p>
${sections.join('')}<h2 id="errors">errors</h2>${renderErrors()}</body></html>`
}

interface Placed {
  readonly path: string
  readonly verb: string
  readonly operation: OpenApiOperation
}

function renderOperation({ path, verb, operation }: Placed): string {
  const bodies = Object.entries(operation.requestBody?.content ?? {})
  return `<details id="${operation.operationId}"><summary><span class="verb">${verb.toUpperCase()}</span> <code>${escapeHtml(path)}</code>
<span class="dim">${markCode(escapeHtml(operation.summary))}${operation.deprecated ? ' (older name)' : ''}</span></summary>
${renderParameters(operation.parameters)}
${bodies.map(([type, { schema }]) => `<p>Body, <code>${escapeHtml(type)}</code></p>${renderJson(schema)}`).join('')}
<p>Answers</p><table>${Object.entries(operation.responses).map(renderResponse).join('')}</table></details>`
}

/** Filters are by the hundred and alike: they are told in one row. */
function renderParameters(parameters: readonly OpenApiParameter[]): string {
  const plain = parameters.filter(({ name }) => name === 'where.or' || !/^(where|orderby)\./.test(name))
  const fieldsOf = (prefix: string): string =>
    [...new Set(parameters.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.split('.')[1]))]
      .filter(name => name !== 'or')
      .join(', ')
  const rows = plain.map(({ name, in: place, required, description, schema }) => [
    `<code>${escapeHtml(name)}</code>${required ? ' *' : ''}`,
    place,
    `<code>${escapeHtml(JSON.stringify(schema))}</code> ${escapeHtml(description ?? '')}`,
  ])
  const where = fieldsOf('where.')
  if (where)
    rows.push([
      '<code>where.&lt;field&gt;.&lt;op&gt;</code>',
      'query',
      `eq, neq, gt, gte, lt, lte, like, ilike, in, nin of ${where}`,
    ])
  const orderBy = fieldsOf('orderby.')
  if (orderBy) rows.push(['<code>orderby.&lt;field&gt;</code>', 'query', `asc or desc, of ${orderBy}`])
  return rows.length === 0
    ? ''
    : `<table>${rows.map(cells => `<tr><td>${cells.join('</td><td>')}</td></tr>`).join('')}</table>`
}

function renderResponse([status, response]: [string, unknown]): string {
  const { description, content } = response as { description: string; content: Record<string, { schema: unknown }> }
  const schema = status === '200' ? renderJson(Object.values(content)[0]?.schema) : ''
  return `<tr><td>${status}</td><td>${escapeHtml(description)}${schema}</td></tr>`
}

function renderErrors(): string {
  const rows = Object.entries(errors).map(
    ([code, { status, title, text }]) =>
      `<tr id="error-${code}"><td><code>${code}</code></td><td>${status}</td><td>${escapeHtml(title)}<br><span class="dim">${escapeHtml(text)}</span></td></tr>`,
  )
  return `<table>${rows.join('')}</table>`
}

/** What stands between backticks. */
const markCode = (html: string): string => html.replace(/`([^`]+)`/g, '<code>$1</code>')

const renderJson = (value: unknown): string => `<pre>${escapeHtml(JSON.stringify(value, null, 2))}</pre>`

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
