import { describe, expect, test } from 'vitest'
import { open, serviceSuite } from '../service.suite.ts'
import { save, startWordPress } from './stand-in.suite.ts'
import { wordpress } from './wordpress.ts'

serviceSuite(wordpress, { start: startWordPress, saysHowLong: true })

describe('WordPress', () => {
  const begin = async () => {
    const standIn = await startWordPress()
    return { standIn, ...open(wordpress, { credentials: standIn.credentials }) }
  }

  test('a post is created, and updated by its id', async () => {
    const { service, standIn } = await begin()
    expect(await service.calls.savePost!({ id: null, fields: { title: 'Hello', status: 'publish' } })).toMatchObject({
      ok: true,
      value: { id: 5, status: 'publish', link: expect.stringContaining('?p=5') },
    })
    expect(await service.calls.savePost!({ id: 5, fields: { title: 'Again' } })).toMatchObject({
      ok: true,
      value: { id: 5 },
    })
    expect(standIn.taken()).toEqual(['new: Hello', '5: Again'])
  })

  test('what WordPress refuses is told with its own code', async () => {
    const { service } = await begin()
    const { savePost } = service.calls
    expect(await savePost!({ id: 99, fields: {} })).toMatchObject({
      fault: { code: 'not_found', serviceCode: 'rest_post_invalid_id' },
    })
    expect(await savePost!({ id: null, fields: { status: 'odd' } })).toMatchObject({
      fault: { code: 'rejected', reason: expect.stringContaining('Invalid parameter') },
    })
    expect(await savePost!({ id: null, fields: { author: 2 } })).toMatchObject({
      fault: { code: 'unauthorized', serviceCode: 'rest_cannot_edit_others' },
    })
  })

  test('a route that the site does not have is a matter of settings', async () => {
    const { standIn } = await begin()
    const { service } = open(wordpress, { credentials: { ...standIn.credentials, path: '/wp/v2/films' } })
    expect(await save(service)).toMatchObject({ code: 'misconfigured', serviceCode: 'rest_no_route' })
  })
})
