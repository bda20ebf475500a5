/** Takes secrets out of texts: whatever a service or its library says, nobody may read a password in it. */
export type Scrub = (text: string) => string

const HIDDEN = '[hidden]'
const LONGEST_REASON = 500
/** No more of a text is looked at. */
const MOST_READ = 8_192
/** This much of a secret's beginning is as good as all of it: what follows is hidden as far as it goes on like the secret. */
const ENOUGH = 32
/** `%f0%9f%98%80` for one character, or `\\u` and four digits twice. */
const LONGEST_SPELLING = 14
/** Before a character that was escaped, and escaped again. */
const MOST_BACKSLASHES = 4
const SPACE = /[\s\p{Cc}]+/gu

/**
 * Makes the scrubber for some secrets: as they are, and in every spelling in which requests carry and answers repeat them
 * (percent-encoded, as a form, in JSON, also in JSON within JSON, in HTML, in base64 with and without padding). Each
 * character is matched in all of its spellings, because an encoder spells some and leaves others. That is no regular
 * expression: one with so many ways to match can be kept busy for ever by an answer made for it.
 */
export function createScrub(secrets: readonly string[]): Scrub {
  const forms = secrets.flatMap(secret => [
    secret,
    secret.trim(),
    secret.trim().replace(SPACE, ' '),
    ...encodeWhole(secret),
  ])
  const needles = [...new Set(forms)].filter(Boolean).map(form => [...form].map(spell))
  return needles.length === 0 ? text => text : text => hide(text, needles)
}

/** A text as a record may show it: on one line, and bounded; scrubbed before it is cut, as half a secret is one too. */
export function readable(text: string, scrub: Scrub): string {
  const isCut = text.length > MOST_READ
  const head = isCut ? scrub(text.slice(0, MOST_READ)).slice(0, -ENOUGH * LONGEST_SPELLING) : scrub(text)
  const clean = scrub(head.replace(SPACE, ' ')).trim()
  return isCut || clean.length > LONGEST_REASON ? `${clean.slice(0, LONGEST_REASON - 1)}…` : clean
}

function hide(text: string, needles: readonly (readonly (readonly string[])[])[]): string {
  const lower = lowerCase(text)
  let shown = ''
  let at = 0
  while (at < text.length) {
    const end = needles.reduce((furthest, needle) => Math.max(furthest, matchAt(lower, at, needle)), at)
    shown += end > at ? HIDDEN : text[at]
    at = end > at ? end : at + 1
  }
  return shown
}

/** Where a secret that begins at `start` ends; `start` if none does. All ways to read it are followed at once. */
function matchAt(text: string, start: number, needle: readonly (readonly string[])[]): number {
  let ends = [start]
  let furthest = start
  for (const [nth, spellings] of needle.entries()) {
    ends = [...new Set(ends.flatMap(end => endsOf(text, end, spellings)))]
    if (ends.length === 0) return nth >= ENOUGH ? furthest : start
    furthest = Math.max(...ends)
  }
  return furthest
}

function endsOf(text: string, at: number, spellings: readonly string[]): number[] {
  const ends: number[] = []
  for (let from = at; from <= at + MOST_BACKSLASHES; from++) {
    for (const spelling of spellings) if (text.startsWith(spelling, from)) ends.push(from + spelling.length)
    if (text[from] !== '\\') break
  }
  return ends
}

const NAMED: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
const SPACES = [' ', '+', '%20', '\t', '\n', '\u00a0']

/** Every spelling of one character, in lower case. */
function spell(character: string): string[] {
  const point = character.codePointAt(0)!
  const units = character.split('').map(unit => `u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const spellings = [
    character,
    [...Buffer.from(character, 'utf8')].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    `\\${units.join('\\')}`,
    `\\${units.join('\\\\')}`,
    `&#${point};`,
    `&#x${point.toString(16)};`,
    `&#0${point};`,
    ...(character in NAMED ? [NAMED[character]!] : []),
    ...(/\s/.test(character) ? SPACES : []),
  ]
  return [...new Set(spellings.map(lowerCase))]
}

/** Of A to Z alone: other letters can change their number. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

function encodeWhole(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  const all = [bytes.toString('base64'), bytes.toString('base64url'), Buffer.from(secret, 'latin1').toString('base64')]
  return all.map(text => text.replace(/=+$/, ''))
}
