/** From an operation's input to an HTTP request. */
import type { Route } from './generated/routes.ts'

type Values = Readonly<Record<string, unknown>>

export interface BuiltRequest {
  readonly path: string
  /** JSON, or undefined where there is none. */
  readonly body: string | undefined
}

export function buildRequest(route: Route, input: Values): BuiltRequest {
  const inPath = new Set(Object.values(route.pathNames))
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = input[route.pathNames[name]!]
    if (value === undefined || value === null) throw new TypeError(`${route.pathNames[name]} is missing`)
    return encodeURIComponent(String(value))
  })
  const rest = Object.fromEntries(Object.entries(input).filter(([name]) => !inPath.has(name)))
  if (route.list) return { path: path + queryOf(rest), body: undefined }
  if (route.each) {
    const { where, ...patch } = rest
    return { path: path + queryOf({ where }), body: JSON.stringify(patch) }
  }
  const inBody = route.verb === 'POST' || route.verb === 'PUT'
  return inBody ? { path, body: JSON.stringify(rest) } : { path: path + queryOf(rest), body: undefined }
}

function queryOf({ where, orderBy, ...plain }: Values): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(plain)) if (value !== undefined) query.append(name, String(value))
  for (const [field, comparison] of Object.entries((where as Values) ?? {})) {
    for (const [op, value] of Object.entries((comparison as Values) ?? {})) {
      if (value !== undefined) query.append(`where.${field}.${op}`, String(value))
    }
  }
  for (const [field, direction] of (orderBy as [string, string][]) ?? []) query.append(`orderby.${field}`, direction)
  const text = query.toString()
  return text && `?${text}`
}
