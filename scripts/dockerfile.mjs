/** The part of Dockerfile's and .dockerignore's language that ours use, so that what they say can be done and checked without Docker. */

/** @returns {{ name: string, text: string }[]} the instructions in their order; continued lines are joined */
export function readDockerfile(source) {
  return source
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const [, name, text] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? []
      if (!name) throw new Error(`Dockerfile: not an instruction: ${line}`)
      return { name, text: text.trim() }
    })
}

/** `COPY [--from=stage] source… target` */
export function readCopy(text) {
  const words = text.split(/\s+/)
  const from = /^--from=(.+)$/.exec(words[0])?.[1] ?? null
  const paths = from === null ? words : words.slice(1)
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) }
}

/** @returns {(path: string) => boolean} whether a file of the working copy reaches the image's build: the last line that fits decides */
export function readDockerignore(source) {
  const rules = source
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => ({ keeps: line.startsWith('!'), pattern: toPattern(line.replace(/^!/, '')) }))
  return path => rules.findLast(({ pattern }) => pattern.test(path))?.keeps ?? true
}

function toPattern(glob) {
  const parts = glob.split('**/').map(part => part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*'))
  return new RegExp(`^${parts.join('(?:.*/)?')}(?:/.*)?$`)
}
