/** Laws that hold on every installation: a name in plain words, the items of the reference that it covers, and the test. */
import type { Installation } from './installations.ts'

export interface Law {
  readonly name: string
  readonly covers: readonly string[]
  readonly run: (installation: Installation) => Promise<void>
}

export interface Suite {
  readonly title: string
  /** Its laws may run beside each other. */
  readonly isConcurrent: boolean
  readonly laws: readonly Law[]
}

type Declare = (name: string, covers: readonly string[], run: Law['run']) => void

export function suite(title: string, build: (law: Declare) => void, isConcurrent = false): Suite {
  const laws: Law[] = []
  build((name, covers, run) => void laws.push({ name, covers, run }))
  return { title, isConcurrent, laws }
}
