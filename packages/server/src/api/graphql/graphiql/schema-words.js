/** What the schema says: its introspection, types as text, and the words that fit at a place of a query. */

const TYPE = `name kind description
  fields { name description type { ...ref } args { name description type { ...ref } } }
  inputFields { name description type { ...ref } }
  enumValues { name description }`

export const INTROSPECTION = `{ __schema { queryType { name } mutationType { name } subscriptionType { name } types { ${TYPE} } } }
fragment ref on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }`

/** @returns the types by name, and the names of the roots by their keyword */
export function readSchema({ __schema: schema }) {
  const types = new Map(schema.types.filter(({ name }) => !name.startsWith('__')).map(type => [type.name, type]))
  const roots = {
    query: schema.queryType.name,
    mutation: schema.mutationType?.name,
    subscription: schema.subscriptionType?.name,
  }
  return { types, roots }
}

export function typeText({ kind, name, ofType }) {
  if (kind === 'NON_NULL') return `${typeText(ofType)}!`
  return kind === 'LIST' ? `[${typeText(ofType)}]` : name
}

export function namedType({ name, ofType }) {
  return ofType ? namedType(ofType) : name
}

const TOKEN = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|\.\.\.|[{}()[\]:$=!@|&]|[_A-Za-z]\w*|-?\d[\w.+-]*/g

/**
 * The words that may stand at `position`, beginning with what stands there already.
 * @returns {{from: number, words: {name: string, type: string}[]}} `from` is where the word begins
 */
export function wordsAt(schema, text, position) {
  const before = text.slice(0, position)
  const begun = /[_A-Za-z]\w*$/.exec(before)?.[0] ?? ''
  const from = position - begun.length
  const fitting = candidates(schema, before.slice(0, from)).filter(({ name }) => name.startsWith(begun))
  return { from, words: fitting.map(({ name, type }) => ({ name, type: type ? typeText(type) : '' })) }
}

const KEYWORDS = ['query', 'mutation', 'subscription', 'fragment'].map(name => ({ name }))

/** Walks the text with a stack of what is open: the document, selections, arguments, input objects; each knows its last member. */
function candidates({ types, roots }, text) {
  const whole = { kind: 'document', members: KEYWORDS, last: { of: roots.query } }
  const stack = [whole]
  let previous = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token.startsWith('#')) continue
    const open = stack.at(-1)
    if (token === '{' || token === '(') stack.push(opened(token, open, types))
    else if ((token === '}' || token === ')') && open !== whole) stack.pop()
    else if (previous === 'on') open.last = { of: token }
    else if (open === whole) open.last = token in roots ? { of: roots[token] } : open.last
    else if (names(token, previous, open)) open.last = open.members.find(({ name }) => name === token)
    if (token === '}' && stack.at(-1) === whole) whole.last = { of: roots.query }
    previous = token
  }
  const open = stack.at(-1)
  if (previous === '$') return []
  return previous === ':' && open.kind !== 'selection' ? valuesOf(types.get(typeOf(open.last))) : open.members
}

/** Whether a token names a member of what is open, and no value or variable. */
function names(token, previous, { kind }) {
  return /^[_A-Za-z]/.test(token) && previous !== '$' && (previous !== ':' || kind === 'selection')
}

function opened(token, { kind, last }, types) {
  if (token === '(') return { kind: 'arguments', members: last?.args ?? [] }
  const type = types.get(typeOf(last))
  if (kind === 'arguments' || kind === 'input') return { kind: 'input', members: type?.inputFields ?? [] }
  return { kind: 'selection', members: type?.fields ?? [] }
}

function typeOf(member) {
  return member?.of ?? (member?.type && namedType(member.type))
}

function valuesOf(type) {
  if (type?.kind === 'ENUM') return type.enumValues
  return type?.name === 'Boolean' ? [{ name: 'true' }, { name: 'false' }] : []
}
