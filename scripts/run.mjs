import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** The top of the working copy, with a slash at its end. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a program to its end and gives its exit code; one that dies by a signal gives 128 + its number, as shells do.
 * With `capture` its output is returned instead of shown.
 */
export function run(program, args, { cwd = root, env = process.env, capture = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env: capture ? { ...env, FORCE_COLOR: '0' } : env,
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    })
    let output = ''
    const keep = chunk => (output += chunk)
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const unlink = passSignals(child)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      unlink()
      resolve({ code: code ?? 128 + constants.signals[signal], output })
    })
  })
}

/** Hands our SIGINT and SIGTERM to the child and waits for it, so that a child never outlives its command. */
function passSignals(child) {
  const handlers = ['SIGINT', 'SIGTERM'].map(signal => [signal, () => child.kill(signal)])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

/** Runs one of the installed command line tools with the Node that runs us: no shell, no PATH. */
export function runTool(tool, args, options) {
  return run(process.execPath, [`${root}node_modules/${tool}`, ...args], options)
}

/** npm as it was started, or the one on the PATH. */
export function runNpm(args, options) {
  const npm = process.env.npm_execpath
  return npm?.endsWith('.js') ? run(process.execPath, [npm, ...args], options) : run('npm', args, options)
}
