/** Progress for people: one line when something begins, one when it ends, with its time. */

/** Writes one line to stderr, so that a command's own output stays clean. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}

/** Ends the command with a sentence instead of a stack. */
export function giveUp(line, code = 1) {
  say(`posthorn: ${line}`)
  process.exit(code)
}

/** Milliseconds as a person reads them: `340 ms`, `12.3 s`, `4 min 05 s`. */
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 100_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${String(Math.round((ms % 60_000) / 1000)).padStart(2, '0')} s`
}
