import type { PullEngine, PushEngine } from '../port.ts'
import { createPull } from './pull.ts'
import { createPush } from './push.ts'
import { type MemoryOptions, Store } from './store.ts'

/** The engine without a database, for tests and the simulation. Same laws, no durability. */
export function createMemoryEngine(options: MemoryOptions): PushEngine & PullEngine & { readonly store: Store } {
  const store = new Store(options)
  return { store, ...createPush(store), ...createPull(store) }
}
