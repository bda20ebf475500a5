/** /graphiql: a page to try queries, mutations and subscriptions on. All of it is ours, and nothing is loaded from elsewhere. */
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const FILES = {
  'page.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'schema-words.js': 'text/javascript; charset=utf-8',
  'subscriber.js': 'text/javascript; charset=utf-8',
}

export function addGraphiql(app: FastifyInstance): void {
  addFile(app, '/graphiql', 'page.html', 'text/html; charset=utf-8')
  for (const [name, type] of Object.entries(FILES)) addFile(app, `/graphiql/${name}`, name, type)
}

function addFile(app: FastifyInstance, url: string, name: string, type: string): void {
  let text: string | undefined
  app.get(url, async (_request, reply) => {
    text ??= readFileSync(new URL(`./graphiql/${name}`, import.meta.url), 'utf8')
    return reply
      .type(type)
      .header('content-security-policy', POLICY)
      .header('x-content-type-options', 'nosniff')
      .header('cache-control', 'no-cache')
      .send(text)
  })
}
