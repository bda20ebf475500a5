import { Problem } from '@posthorn/contract'
import type { GroupCommit } from './group-commit.ts'
import type { NewMessage } from './port.ts'

export interface PutBounds {
  readonly messages: number
  readonly bytes: number
}

/**
 * Puts in memory, bounded: while the database is slower than callers, those beyond the bound are refused at once, and what
 * they brought is stored by nobody. Who is alone is never refused, however much it brings.
 *
 * @throws Problem `overloaded`, from each of its operations; what is put with one call is refused or stored as a whole
 */
export function boundPuts(commit: GroupCommit, bounds: PutBounds): GroupCommit {
  let messages = 0
  let bytes = 0
  const hold = <T>(count: number, size: number, store: () => Promise<T>): Promise<T> => {
    if (messages >= bounds.messages) return Promise.reject(refusal('messages waiting to be stored', bounds.messages))
    if (bytes >= bounds.bytes) return Promise.reject(refusal('bytes waiting to be stored', bounds.bytes))
    messages += count
    bytes += size
    const letGo = (): void => {
      messages -= count
      bytes -= size
    }
    const stored = store()
    stored.then(letGo, letGo)
    return stored
  }
  const holdAll = <T>(all: readonly NewMessage[], store: () => Promise<T>): Promise<T> =>
    hold(
      all.length,
      all.reduce((sum, message) => sum + sizeOf(message), 0),
      store,
    )
  return {
    put: message => hold(1, sizeOf(message), () => commit.put(message)),
    putAll: all =>
      holdAll(all, () => commit.putAll(all)).catch(reason => all.map(() => ({ status: 'rejected', reason }))),
    putTogether: all => holdAll(all, () => commit.putTogether(all)),
    get waiting() {
      return commit.waiting
    },
  }
}

const refusal = (what: string, limit: number): Problem => new Problem('overloaded', { what, limit })

function sizeOf({ body, headers }: NewMessage): number {
  return (body?.length ?? 0) + (headers?.length ?? 0)
}
