/** A secret for a command, from wherever it stands in no shell history: a prompt, stdin, the environment. */
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ConfigError } from '../config.ts'

export interface SecretSources {
  /** As the flag has it: the secret itself, or `-` for stdin. */
  readonly given: string | undefined
  /** Ask for it. */
  readonly prompt: boolean | undefined
  /** The variable's value, if it is set. */
  readonly environment: string | null
}

/** Undefined where none is given at all. @throws ConfigError */
export async function readSecret({ given, prompt, environment }: SecretSources): Promise<string | undefined> {
  if (given !== undefined && prompt) throw new ConfigError(['give -p or -P, not both'])
  if (prompt) return ask('password: ')
  if (given === '-') return (await text(process.stdin)).replace(/\r?\n$/, '')
  return given ?? environment ?? undefined
}

/** What is typed is not shown. */
async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new ConfigError(['there is nobody to ask: give the password with -p - on stdin'])
  const silent = new Writable({ write: (_, __, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT')) // it takes Ctrl-C for itself
  // Not before the terminal is told to show nothing: whoever is quick would see the first letters.
  process.stderr.write(question)
  try {
    return await new Promise((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => reject(new ConfigError(['no password was typed: nothing was changed'])))
    })
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
