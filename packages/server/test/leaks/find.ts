/** Finds the secrets of the tests in a text or in bytes, in whatever form somebody may have written them down. */
import { MARK } from './marked.ts'

/** What stands in the base64 of any text that has `word` in it, by where in three bytes it begins. */
function base64Forms(word: string): string[] {
  return [0, 1, 2].map(before => {
    const bits = 8 * (before + word.length)
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(word)]).toString('base64')
    return text.slice(Math.ceil((8 * before) / 6), Math.floor(bits / 6))
  })
}

const hexOf = (word: string): string => Buffer.from(word).toString('hex')
const percentOf = (word: string): string => hexOf(word).replace(/../g, '%$&')

/** The mark, and what it is in the base64 in which keys and signing secrets are known. */
const WORDS = [MARK, base64Forms(MARK)[0]!]
const MARKS = WORDS.flatMap(word => {
  const spelled = [hexOf(word), percentOf(word)]
  return [word, ...base64Forms(word), ...spelled, ...spelled.map(text => text.toUpperCase())]
})

/** A few letters may come about by chance: whether a key stands there shows when it is decoded, but for its first letter. */
const KEY = /hk_[A-Za-z0-9]{35}/
const KEYS = [
  'phk_[A-Za-z0-9]{43}',
  `${hexOf('phk_')}[0-9a-fA-F]{86}`,
  `${percentOf('phk_')}[%0-9a-fA-F]{129}`,
  ...base64Forms('phk_').map(form => `${form}[A-Za-z0-9+/_-]{56}`),
]

const EACH = new RegExp([...MARKS, ...KEYS].join('|'), 'g')
/** For PostgreSQL: rows with it are to be looked into. Long repetitions would double its time. */
export const SUSPICIOUS = [...MARKS, ...KEYS].join('|').replace(/\{\d+\}/g, '{8}')
const SHOWN = 60

export type Kind = 'secret' | 'key'

export interface Found {
  readonly kind: Kind
  /** Where it stands, with what stands around it. */
  readonly excerpt: string
}

/** One of each kind at most. */
export function findSecrets(text: string): Found[] {
  const found = new Map<Kind, Found>()
  for (const { 0: match, index } of text.matchAll(EACH)) {
    const kind = kindOf(match)
    if (kind === null || found.has(kind)) continue
    const excerpt = text.slice(Math.max(0, index - SHOWN), index + match.length + SHOWN)
    found.set(kind, { kind, excerpt })
  }
  return [...found.values()]
}

function kindOf(match: string): Kind | null {
  if (MARKS.includes(match)) return 'secret'
  const decoded = [match, Buffer.from(match.replaceAll('%', ''), 'hex').toString('latin1')]
  // Where in four letters it began is not known.
  for (const cut of ['', 'A', 'AA', 'AAA']) decoded.push(Buffer.from(cut + match, 'base64').toString('latin1'))
  return decoded.some(text => KEY.test(text)) ? 'key' : null
}

const PLAIN = [...MARKS, 'phk_'].map(form => Buffer.from(form))

/** The same in bytes, such as the pages of a database's files. */
export function findSecretsInBytes(bytes: Buffer): Found[] {
  const found: Found[] = []
  for (const form of PLAIN) {
    for (let at = bytes.indexOf(form); at >= 0; at = bytes.indexOf(form, at + form.length)) {
      const seen = findSecrets(bytes.toString('latin1', Math.max(0, at - SHOWN), at + 2 * SHOWN))
      if (seen.length === 0) continue
      found.push(...seen)
      break
    }
  }
  return found
}
