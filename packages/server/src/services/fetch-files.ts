import { buffer } from 'node:stream/consumers'
import type { FetchedFiles, FetchFileInput, FetchFilesInput, OpenFile } from './calls.ts'
import { type Answer, FaultError, faultOf } from './faults.ts'

const MAX_FILES = 50

/** Fetches files one after the other until all are here or one cannot be; what is here then is returned either way. */
export async function fetchFiles(
  { paths, maxBytes }: FetchFilesInput,
  fetchFile: (input: FetchFileInput) => Promise<Answer<OpenFile>>,
): Promise<Answer<FetchedFiles>> {
  if (paths.length > MAX_FILES) {
    return { ok: false, fault: faultOf('invalid', `paths must be at most ${MAX_FILES}, there are ${paths.length}`) }
  }
  const files: FetchedFiles['files'][number][] = []
  let leftBytes = maxBytes
  for (const path of paths) {
    const fetched = await fetchWhole({ path, maxBytes: leftBytes }, fetchFile)
    if (!fetched.ok) return { ok: true, value: { files, failure: { path, fault: fetched.fault } } }
    files.push(fetched.value)
    leftBytes -= fetched.value.content.length
  }
  return { ok: true, value: { files, failure: null } }
}

async function fetchWhole(
  input: FetchFileInput,
  fetchFile: (input: FetchFileInput) => Promise<Answer<OpenFile>>,
): Promise<Answer<FetchedFiles['files'][number]>> {
  const opened = await fetchFile(input)
  if (!opened.ok) return opened
  const { path, contentType, stream } = opened.value
  try {
    return { ok: true, value: { path, contentType, content: await buffer(stream) } }
  } catch (error) {
    // A stream ends with the fault that bounded-stream.ts gave it, in its own words.
    return { ok: false, fault: error instanceof FaultError ? error.fault : faultOf('reset', `${path} broke off`) }
  }
}
