/** What an org's storage has. */
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { Problem } from '@posthorn/contract'
import { FaultError, fail } from '../services/faults.ts'
import type { BackendCaller, Reach } from './reach.ts'
import { type ServiceUse, serviceFailed } from './service-use.ts'

export interface FilesOptions {
  readonly use: ServiceUse
  readonly reach: Reach
}

const USUAL_BYTES = 8 * 1024 * 1024
const USUAL_DOWNLOAD_BYTES = 1024 * 1024 * 1024
/** Of one attachment; an email has a bound of its own for all of them. */
const ATTACHMENT_BYTES = 10 * 1024 * 1024

export type Files = ReturnType<typeof createFiles>

export function createFiles({ use, reach }: FilesOptions) {
  return {
    /** What was fetched before a failure is returned with it. @throws Problem org_unknown, function_detached, service_failed */
    async fetch(caller: BackendCaller, input: { orgName?: string; paths: string[]; maxBytes?: number }) {
      const { id } = await reach(caller, input.orgName)
      const { paths, maxBytes = USUAL_BYTES } = input
      const answer = await use.callFunction(id, 'storage', 'fetchFiles', { paths, maxBytes })
      if (!answer.ok) throw serviceFailed(answer.service, answer)
      const { files, failure } = answer.value
      return {
        files: files.map(({ path, contentType, content }) => ({
          path,
          contentType,
          contentBase64: content.toString('base64'),
        })),
        failure: failure && { path: failure.path, fault: failure.fault.code, message: failure.fault.reason },
      }
    },
    /** Has begun when it is given: what fails until then has an answer of its own. @throws Problem org_unknown, function_detached, service_failed */
    async download(caller: BackendCaller, input: { orgName?: string; path: string; maxBytes?: number }) {
      const { id } = await reach(caller, input.orgName)
      const { path, maxBytes = USUAL_DOWNLOAD_BYTES } = input
      const answer = await use.callFunction(id, 'storage', 'fetchFile', { path, maxBytes })
      if (!answer.ok) throw serviceFailed(answer.service, answer)
      const { contentType, bytes, stream } = answer.value
      await begin(stream).catch((error: unknown) => {
        throw error instanceof FaultError ? serviceFailed(answer.service, { ok: false, fault: error.fault }) : error
      })
      return { contentType, bytes, stream }
    },
    /** One file for an email of the org. @throws FaultError, which is that email's alone; DatabaseError */
    async fetchForEmail(orgId: number, path: string): Promise<{ contentType: string; content: Buffer }> {
      const input = { paths: [path], maxBytes: ATTACHMENT_BYTES }
      const answer = await use.callFunction(orgId, 'storage', 'fetchFiles', input).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error
        return fail('deferred', `attachment ${path}: ${error.message}`)
      })
      if (!answer.ok) throw new FaultError(answer.fault)
      const { files, failure } = answer.value
      if (failure) throw new FaultError({ ...failure.fault, reason: `attachment ${path}: ${failure.fault.reason}` })
      return files[0]!
    },
  }
}

/** Resolves when there is something to read, or nothing more. @throws what the stream fails with */
async function begin(stream: Readable): Promise<void> {
  if (stream.errored) throw stream.errored
  await once(stream, 'readable')
}
