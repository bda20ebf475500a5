/** What every contender sends: 500 bytes that bear the message's number and the moment it was meant to be put. */

const BYTES = 500
const EMPTY = JSON.stringify({ at: 0, id: 0, data: '' }).length
const PADDING = 'abcdefghijklmnopqrstuvwxyz'.repeat(20)

/** Microseconds of the clock that all processes of this machine share. */
export function nowUs() {
  return Number(process.hrtime.bigint() / 1000n)
}

export function makeObject(id, at) {
  return { at, id, data: PADDING.slice(0, BYTES - EMPTY - String(at).length - String(id).length + 2) }
}

export function makeBody(id, at) {
  return JSON.stringify(makeObject(id, at))
}
