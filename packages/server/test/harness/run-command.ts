import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { lookAtOutput } from '../leaks/watch.ts'

const COMMAND = fileURLToPath(new URL('../../bin/posthorn.mjs', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Runs `posthorn …` against a node, as its operator does at a terminal. */
export function runCommand(
  url: string,
  args: readonly string[],
  more: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(POSTHORN|PLT|DATABASE)_/.test(name)),
  )
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...env, POSTHORN_URL: url, ...more.env } })
  lookAtOutput(child, `posthorn ${args.join(' ')}`)
  const ran = { out: '', error: '' }
  child.stdout.on('data', chunk => (ran.out += chunk))
  child.stderr.on('data', chunk => (ran.error += chunk))
  child.stdin.end(more.stdin ?? '')
  return new Promise(resolve => child.on('close', code => resolve({ code, ...ran })))
}
