/** The receiver where there is no C compiler: the same books, paths and commands as sink.c, and about a third of its speed. */
import { createServer } from 'node:net'

const ANSWER = 'HTTP/1.1 204 No Content\r\n\r\n'
const MOST = 65_536

let expected = 0
let waited = new Float64Array(0)
let openNow = 0
let sums = emptySums()

function emptySums() {
  return { distinct: 0, duplicates: 0, strangers: 0, hung: 0, firstUs: 0, lastUs: 0, connections: openNow }
}

const nowUs = () => Number(process.hrtime.bigint() / 1000n)
const say = value => process.stdout.write(`${JSON.stringify(value)}\n`)

function report(event) {
  const times = waited.filter(time => time >= 0).sort()
  const quantile = q => times[Math.floor((times.length - 1) * q)] ?? 0
  const quantiles = { p50: quantile(0.5), p90: quantile(0.9), p99: quantile(0.99), most: times.at(-1) ?? 0 }
  say({ event, ...sums, timed: times.length, ...quantiles })
}

/** Times are -1 where a message has not come, -2 where it bears no time. */
function note(id, at) {
  if (!(id >= 0 && id < expected)) {
    sums.strangers += 1
    return
  }
  if (waited[id] !== -1) {
    sums.duplicates += 1
    return
  }
  const now = nowUs()
  waited[id] = at > 0 ? Math.max(0, now - at) : -2
  if (sums.distinct === 0) sums.firstUs = now
  sums.distinct += 1
  sums.lastUs = now
  if (sums.distinct === expected) report('all')
}

function numberAfter(text, name) {
  const at = text.indexOf(name)
  return at < 0 ? -1 : Number.parseInt(text.slice(at + name.length), 10)
}

/** Takes one request from the front: gives its length, 0 if it is not whole yet, -1 if it is none. */
function take(socket, text) {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return text.length > MOST ? -1 : 0
  const head = text.slice(0, headEnd)
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  if (length > MOST) return -1
  const end = headEnd + 4 + length
  if (text.length < end) return 0
  const path = head.slice(0, head.indexOf('\r\n'))
  if (path.includes('/hang')) {
    sums.hung += 1
    return end
  }
  const start = text.slice(headEnd + 4, Math.min(end, headEnd + 100))
  note(numberAfter(start, '"id":') + Math.max(0, numberAfter(path, '/offset/')), numberAfter(start, '"at":'))
  const ms = numberAfter(path, '/after/')
  if (ms > 0) setTimeout(() => socket.write(ANSWER), ms)
  else socket.write(ANSWER)
  return end
}

function serve(socket) {
  if (!socket.remoteAddress?.startsWith('127.')) return socket.destroy()
  openNow += 1
  sums.connections = Math.max(sums.connections, openNow)
  let text = ''
  socket.setNoDelay(true).setEncoding('latin1')
  socket.on('data', chunk => {
    text += chunk
    for (let length = take(socket, text); length !== 0; length = take(socket, text)) {
      if (length < 0) return socket.destroy()
      text = text.slice(length)
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    openNow -= 1
  })
}

process.stdin.setEncoding('utf8')
process.stdin.on('data', commands => {
  for (const [command, count] of commands
    .trim()
    .split('\n')
    .map(line => line.split(' '))) {
    if (command === 'report') report('report')
    if (command !== 'reset') continue
    expected = Number(count)
    waited = new Float64Array(expected).fill(-1)
    sums = emptySums()
    say({ event: 'reset' })
  }
})
process.stdin.on('end', () => process.exit())

const server = createServer(serve).listen(0, '0.0.0.0', () => say({ event: 'listening', port: server.address().port }))
