/** /documentation: the OpenAPI document as JSON, as YAML, and as a page. */
import { createOpenApi } from '@posthorn/contract'
import type { FastifyInstance } from 'fastify'
import { stringify } from 'yaml'
import { renderDocumentation } from './documentation-page.ts'

const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function addDocumentation(app: FastifyInstance, version: string): void {
  const document = createOpenApi(version)
  const json = JSON.stringify(document)
  let yaml: string | undefined
  let page: string | undefined
  app.get('/documentation/json', async (_request, reply) =>
    reply.type('application/json').serializer(String).send(json),
  )
  app.get('/documentation/yaml', async (_request, reply) => {
    yaml ??= stringify(JSON.parse(json), { aliasDuplicateObjects: false })
    return reply.type('application/yaml').send(yaml)
  })
  app.get('/documentation', async (request, reply) => {
    if (!request.url.split('?')[0]!.endsWith('/')) return reply.redirect('/documentation/')
    page ??= renderDocumentation(document)
    return reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY).send(page)
  })
}
