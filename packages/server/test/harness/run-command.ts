import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
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
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...bareEnvironment(), POSTHORN_URL: url, ...more.env },
  })
  lookAtOutput(child, `posthorn ${args.join(' ')}`)
  const ran = { out: '', error: '' }
  child.stdout.on('data', chunk => (ran.out += chunk))
  child.stderr.on('data', chunk => (ran.error += chunk))
  child.stdin.end(more.stdin ?? '')
  return new Promise(resolve => child.on('close', code => resolve({ code, ...ran })))
}

function bareEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(POSTHORN|PLT|DATABASE)_/.test(name)))
}

/** Whether there is a program here that gives a command a terminal. */
export function hasTerminal(): boolean {
  const { status } = spawnSync('script', ['-qec', 'true', '/dev/null'])
  if (status !== 0) console.warn('SKIPPED: tests at a terminal need the program script of util-linux')
  return status === 0
}

/** Runs `posthorn …` at a terminal; what `answers` has is typed once it is asked for. `out`: all that the terminal shows. */
export async function runAtTerminal(
  url: string,
  args: readonly string[],
  answers: readonly { readonly asked: string; readonly typed: string }[],
): Promise<Omit<Ran, 'error'>> {
  const command = [process.execPath, COMMAND, ...args].map(part => `'${part}'`).join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...bareEnvironment(), POSTHORN_URL: url } })
  lookAtOutput(child, `posthorn ${args.join(' ')} at a terminal`)
  const left = [...answers]
  let out = ''
  child.stdout.on('data', chunk => {
    out += chunk
    if (left[0] && out.includes(left[0].asked)) child.stdin.write(left.shift()!.typed)
  })
  const [code] = await once(child, 'close')
  return { code, out }
}
