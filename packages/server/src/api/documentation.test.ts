import { errors, operationEntries, pathAliases } from '@posthorn/contract'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { serve } from '../../test/api/serve.ts'

describe('the documentation', () => {
  test('is a valid OpenAPI 3.1 document with every operation, each under one id', async () => {
    const { call } = await serve()
    const { json } = await call('GET', '/documentation/json')
    expect(await new Validator().validate(structuredClone(json))).toMatchObject({ valid: true })
    expect(json.openapi).toBe('3.1.0')
    expect(json.info.version).toBe('1.2.3')
    for (const [, { verb, path }] of operationEntries) expect(json.paths[path]).toHaveProperty(verb.toLowerCase())
    const ids = Object.values<object>(json.paths).flatMap(verbs =>
      Object.values(verbs).map(({ operationId }) => operationId),
    )
    expect(ids).toHaveLength(operationEntries.length + pathAliases.length)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('keeps the operation ids that generated pg-hooks clients are built on', async () => {
    const { call } = await serve()
    const { paths } = (await call('GET', '/documentation/json')).json
    expect(paths['/queues/'].get.operationId).toBe('getQueues')
    expect(paths['/queues/'].post.operationId).toBe('createQueue')
    expect(paths['/messages/'].post.operationId).toBe('createMessage')
    expect(paths['/queues/{id}/messageQueueId'].get).toMatchObject({
      operationId: 'getMessagesForQueue',
      deprecated: true,
    })
  })

  test('documents every filter that lists understand', async () => {
    const { call } = await serve()
    const { paths } = (await call('GET', '/documentation/json')).json
    const names = paths['/messages/'].get.parameters.map(({ name }: { name: string }) => name)
    expect(names).toEqual(
      expect.arrayContaining(['limit', 'where.id.in', 'where.createdAt.gte', 'orderby.when', 'where.or']),
    )
    expect(names).not.toContain('where.headers.eq')
  })

  test('is the same in YAML', async () => {
    const { call } = await serve()
    const { text, headers } = await call('GET', '/documentation/yaml')
    expect(headers.get('content-type')).toMatch(/yaml/)
    expect(parse(text)).toEqual((await call('GET', '/documentation/json')).json)
  })

  test('is a page that needs nothing from elsewhere', async () => {
    const { call } = await serve()
    expect((await call('GET', '/documentation')).headers.get('location')).toBe('/documentation/')
    const { text, headers } = await call('GET', '/documentation/')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).not.toMatch(/<script|<link|https?:\/\//)
    for (const [, { path }] of operationEntries) expect(text).toContain(`<code>${path}</code>`)
    expect(text).toContain('Changes all queues that <code>where</code> finds')
    for (const code of Object.keys(errors)) expect(text).toContain(`id="error-${code}"`)
  })
})
