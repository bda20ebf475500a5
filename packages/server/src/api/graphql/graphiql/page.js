/** The page: editors, schema, result. What is typed is kept in this browser, but for headers. */
import { INTROSPECTION, namedType, readSchema, typeText, wordsAt } from './schema-words.js'
import { subscribe } from './subscriber.js'

const $ = id => document.getElementById(id)
const EXAMPLE = `# Ctrl or ⌘ with Enter runs it; Ctrl with Space shows the words that fit.
{
  queues(limit: 10) {
    id
    name
    callbackUrl
  }
}
`
let schema = null
let stop = null

for (const id of ['query', 'variables']) {
  $(id).value = localStorage.getItem(`posthorn.${id}`) ?? (id === 'query' ? EXAMPLE : '')
  $(id).addEventListener('input', () => localStorage.setItem(`posthorn.${id}`, $(id).value))
}
$('run').addEventListener('click', run)
$('query').addEventListener('input', () => {
  listOperations()
  if (!$('words').hidden) showWords()
})
$('query').addEventListener('keydown', pressed)
$('headers').addEventListener('change', loadSchema)
$('search').addEventListener('input', showRoots)
document.addEventListener('keydown', event => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run()
})
listOperations()
await loadSchema()

async function run() {
  if (stop) return stop()
  const query = $('query').value
  const operationName = $('operation').value || undefined
  const given = read('variables')
  const headers = read('headers')
  if (!given || !headers) return
  const payload = { query, variables: given.value, operationName }
  if (kindOf(query, operationName) === 'subscription') return listen(payload, headers.value)
  const start = performance.now()
  $('status').value = '…'
  const { status, answer } = await post(payload, headers.value)
  $('status').value = `${status} · ${Math.round(performance.now() - start)} ms`
  $('result').textContent = JSON.stringify(answer, null, 2)
}

/** Gives nothing, and says so, if it is no JSON. */
function read(id) {
  const text = $(id).value.trim()
  try {
    return { value: text === '' ? {} : JSON.parse(text) }
  } catch (error) {
    $('status').value = `${id}: ${error.message}`
    return null
  }
}

async function post(payload, headers) {
  try {
    const body = JSON.stringify(payload)
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
    return { status: response.status, answer: await response.json() }
  } catch (error) {
    return { status: 'failed', answer: String(error) }
  }
}

function listen(payload, headers) {
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`
  $('result').textContent = ''
  $('status').value = 'subscribed'
  $('run').textContent = 'Stop'
  stop = subscribe(url, payload, headers, {
    heard: answer => $('result').prepend(`${JSON.stringify(answer, null, 2)}\n`),
    ended(reason) {
      stop = null
      $('run').textContent = 'Run'
      $('status').value = typeof reason === 'string' ? reason : 'refused'
      if (typeof reason !== 'string') $('result').textContent = JSON.stringify(reason, null, 2)
    },
  })
}

function operationsIn(query) {
  const plain = query.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*/g, '')
  return [...plain.matchAll(/\b(query|mutation|subscription)\b\s*(\w*)\s*[({@]/g)].map(([, kind, name]) => ({
    kind,
    name,
  }))
}

function kindOf(query, name) {
  const found = operationsIn(query)
  return (found.find(operation => operation.name === name) ?? found[0])?.kind
}

function listOperations() {
  const names = operationsIn($('query').value).flatMap(({ name }) => (name ? [name] : []))
  const chosen = $('operation').value
  $('operation').replaceChildren(...names.map(name => new Option(name, name, false, name === chosen)))
  $('operation').hidden = names.length < 2
}

async function loadSchema() {
  const headers = read('headers')
  const { answer } = await post({ query: INTROSPECTION }, headers?.value ?? {})
  schema = answer.data ? readSchema(answer.data) : null
  showRoots()
}

function element(tag, text, attributes = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...attributes })
}

function showRoots() {
  if (!schema) return $('schema').replaceChildren(element('p', 'The schema could not be read.'))
  const sought = $('search').value.toLowerCase()
  if (sought === '') return $('schema').replaceChildren(...Object.values(schema.roots).flatMap(typeParts))
  const found = [...schema.types.keys()].filter(name => name.toLowerCase().includes(sought))
  $('schema').replaceChildren(...found.slice(0, 50).map(name => linked(element('p', ''), name)))
}

function linked(parent, name, text = name) {
  parent.append(element('a', text, { onclick: () => showType(name), tabIndex: 0, role: 'link' }))
  return parent
}

function showType(name) {
  $('schema').replaceChildren(element('a', '← all', { onclick: showRoots }), ...typeParts(name))
}

function typeParts(name) {
  const type = schema.types.get(name)
  if (!type) return []
  const members = [...(type.fields ?? type.inputFields ?? []), ...(type.enumValues ?? [])].map(memberLine)
  const list = element('ul', '')
  list.append(...members)
  return [element('h2', type.name), element('p', type.description ?? ''), list]
}

function memberLine({ name, type, args = [], description }) {
  const line = element('li', '', { title: description ?? '' })
  line.append(element('code', name))
  for (const [i, argument] of args.entries()) {
    line.append(i === 0 ? '(' : ', ', `${argument.name}: `)
    linked(line, namedType(argument.type), typeText(argument.type))
  }
  if (args.length > 0) line.append(')')
  if (type) linked(line, namedType(type), ` ${typeText(type)}`)
  return line
}

function pressed(event) {
  const words = $('words')
  if (event.key === ' ' && event.ctrlKey) {
    event.preventDefault()
    showWords()
  } else if (!words.hidden && (event.key === 'Tab' || event.key === 'Enter') && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    words.querySelector('[aria-selected="true"]')?.click()
  } else if (!words.hidden && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    event.preventDefault()
    choose(event.key === 'ArrowDown' ? 1 : -1)
  } else if (event.key === 'Escape') {
    words.hidden = true
  }
}

function showWords() {
  if (!schema) return
  const editor = $('query')
  const { from, words } = wordsAt(schema, editor.value, editor.selectionStart)
  const items = words.map(({ name, type }, i) =>
    element('div', name, {
      role: 'option',
      ariaSelected: String(i === 0),
      title: type,
      onclick: () => put(from, name),
    }),
  )
  $('words').replaceChildren(...items)
  $('words').hidden = items.length === 0
}

function choose(step) {
  const items = [...$('words').children]
  const index = items.findIndex(item => item.ariaSelected === 'true')
  items[index].ariaSelected = 'false'
  items[(index + step + items.length) % items.length].ariaSelected = 'true'
}

function put(from, word) {
  const editor = $('query')
  editor.setRangeText(word, from, editor.selectionStart, 'end')
  editor.dispatchEvent(new Event('input'))
  $('words').hidden = true
  editor.focus()
}
