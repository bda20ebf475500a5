/** Servers that go when the process that started them goes, however it goes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs "$@"; when the pipe on stdin closes, whoever held it is gone: the server is interrupted. */
const LEASH = 'exec 3<&0; "$@" 3<&- & p=$!; echo $p; ( read _ <&3; kill -INT $p ) & wait $p'

/** Starts a server and gives its pid once `isReady` says so of everything it has written to stderr, or of nothing. */
export async function startLeashed(program, args, { isReady, ...options }) {
  const shell = spawn('/bin/sh', ['-c', LEASH, 'sh', program, ...args], { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
  const gone = once(shell, 'exit')
  let said = ''
  let isUp = false
  shell.stderr.on('data', text => {
    if (!isUp) said += text
  })
  const [pid] = await once(shell.stdout, 'data')
  while (!(await isReady(said))) {
    if (shell.exitCode !== null) throw new Error(`${program} ended with ${shell.exitCode}: ${said}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  isUp = true
  shell.stdout.resume()
  return {
    pid: Number(pid),
    async stop() {
      shell.stdin.end()
      await gone
    },
  }
}
