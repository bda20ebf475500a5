import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { open, serviceSuite } from '../service.suite.ts'
import { FILES, startSupabase } from './stand-in.suite.ts'
import { supabase } from './supabase.ts'

serviceSuite(supabase, { start: startSupabase, skip: { babbles: 'any answer below 300 is the file' } })

describe('Supabase Storage', () => {
  const begin = async (path: string | null = 'photos') => {
    const standIn = await startSupabase()
    return { standIn, ...open(supabase, { credentials: { ...standIn.credentials, path } }) }
  }

  test('a file is opened with its type and size, and read as a stream', async () => {
    const { service } = await begin()
    const answer = await service.calls.fetchFile!({ path: 'photos/a.txt', maxBytes: 1000 })
    expect(answer).toMatchObject({ ok: true, value: { path: 'photos/a.txt', contentType: 'text/plain', bytes: 1000 } })
    if (answer.ok) expect((await buffer(answer.value.stream)).toString()).toBe(FILES['photos/a.txt'])
  })

  test('what was compressed on the way has no announced size, and is bounded as it was stored', async () => {
    const { service } = await begin()
    const answer = await service.calls.fetchFile!({ path: 'photos/zipped', maxBytes: 1000 })
    expect(answer).toMatchObject({ ok: true, value: { bytes: null } })
    if (answer.ok) expect((await buffer(answer.value.stream)).toString()).toBe('Z'.repeat(1000))
  })

  test('the default bucket is meant by a lone name or a leading slash, and any name may be in a path', async () => {
    const { service, standIn } = await begin()
    for (const path of ['a.txt', '/dir/ü b.txt', 'docs/c.txt']) {
      const answer = await service.calls.fetchFile!({ path, maxBytes: 1000 })
      expect(answer.ok, path).toBe(true)
      if (answer.ok) answer.value.stream.destroy()
    }
    expect(standIn.names).toEqual(['photos/a.txt', 'photos/dir/ü b.txt', 'docs/c.txt'])
    const without = await begin(null)
    expect(await without.service.calls.fetchFile!({ path: 'a.txt', maxBytes: 1 })).toMatchObject({
      fault: { code: 'invalid' },
    })
  })

  test('no path leaves the storage', async () => {
    const { service, standIn } = await begin()
    for (const path of ['photos/../../auth/v1/admin', 'photos/./a', '../x', 'photos//a', 'photos/', 'a?b/c', '']) {
      expect(await service.calls.fetchFile!({ path, maxBytes: 1000 }), path).toMatchObject({
        fault: { code: 'invalid' },
      })
    }
    expect(standIn.requests()).toBe(0)
    await service.calls.fetchFile!({ path: 'photos/a?token=1#x', maxBytes: 1000 })
    expect(standIn.asked[0]!.target).toBe('/storage/v1/object/photos/a%3Ftoken%3D1%23x')
  })

  test('a file beyond the bound is refused, by its announced size or as it grows', async () => {
    const { service } = await begin()
    expect(await service.calls.fetchFile!({ path: 'photos/a.txt', maxBytes: 999 })).toMatchObject({
      fault: { code: 'too_large', reason: expect.stringContaining('999') },
    })
    const growing = await service.calls.fetchFile!({ path: 'photos/endless', maxBytes: 999 })
    expect(growing).toMatchObject({ ok: true, value: { bytes: null } })
    if (growing.ok) await expect(buffer(growing.value.stream)).rejects.toMatchObject({ fault: { code: 'too_large' } })
  })

  test('a stream that fails before anybody reads it tells whoever then does', async () => {
    const { service } = await begin()
    const answer = await service.calls.fetchFile!({ path: 'photos/endless', maxBytes: 999 })
    if (!answer.ok) throw new Error('it was not opened')
    const { stream } = answer.value
    while (!stream.destroyed) await new Promise(resolve => setTimeout(resolve, 5))
    await expect(buffer(stream)).rejects.toMatchObject({ fault: { code: 'too_large' } })
  })

  test('not found, not authorized and other trouble are told apart', async () => {
    const { service, standIn } = await begin()
    expect(await service.calls.fetchFile!({ path: 'photos/none', maxBytes: 1 })).toMatchObject({
      fault: { code: 'not_found', status: 404, reason: expect.stringContaining('Object not found') },
    })
    const { service: stranger } = open(supabase, { credentials: standIn.wrong! })
    expect(await stranger.calls.fetchFile!({ path: 'photos/a.txt', maxBytes: 1 })).toMatchObject({
      fault: { code: 'unauthorized', status: 403 },
    })
    standIn.behave('is down')
    expect(await service.calls.fetchFile!({ path: 'photos/a.txt', maxBytes: 1 })).toMatchObject({
      fault: { code: 'unavailable' },
    })
  })

  test('of several files, what was fetched before a failure is returned with it', async () => {
    const { service, standIn } = await begin()
    const all = await service.calls.fetchFiles!({ paths: ['a.txt', 'docs/c.txt'], maxBytes: 1001 })
    expect(all).toMatchObject({
      ok: true,
      value: { failure: null, files: [{ path: 'a.txt' }, { content: Buffer.from('C') }] },
    })
    const some = await service.calls.fetchFiles!({ paths: ['docs/c.txt', 'none', 'a.txt'], maxBytes: 5000 })
    expect(some).toMatchObject({
      ok: true,
      value: { files: [{ path: 'docs/c.txt' }], failure: { path: 'none', fault: { code: 'not_found' } } },
    })
    const together = await service.calls.fetchFiles!({ paths: ['a.txt', 'docs/c.txt'], maxBytes: 1000 })
    expect(together).toMatchObject({
      ok: true,
      value: { files: [{ path: 'a.txt' }], failure: { fault: { code: 'too_large' } } },
    })
    expect(
      await service.calls.fetchFiles!({ paths: Array.from({ length: 51 }, () => 'a.txt'), maxBytes: 1 }),
    ).toMatchObject({ fault: { code: 'invalid' } })
    standIn.behave('cuts')
    expect(await service.calls.fetchFiles!({ paths: ['a.txt'], maxBytes: 5000 })).toMatchObject({
      value: { files: [], failure: { fault: { code: 'reset' } } },
    })
  })

  test('a check misses a default bucket that is not there', async () => {
    const { service } = await begin('films')
    expect(await service.check()).toMatchObject({
      fault: { code: 'misconfigured', reason: expect.stringContaining('photos, docs') },
    })
  })
})
