/** What every file of tests begins with: answers that it reads and logs are looked into, and what was found fails it at its end. */
import { appendFileSync } from 'node:fs'
import { afterAll, inject } from 'vitest'
import { silentLog } from '../../src/log.ts'
import { look, takeLeaks } from './watch.ts'

const given = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const response = await given(input, init)
  const path = new URL(input instanceof Request ? input.url : input).pathname
  const asked = path === '/graphql' && typeof init?.body === 'string' ? ` ${init.body}` : ''
  const where = `answer to ${init?.method ?? 'GET'} ${path}${asked}`
  look('answers', where, [...response.headers].join('\n'))
  const read = response.arrayBuffer.bind(response)
  const whole = async (): Promise<ArrayBuffer> => {
    const bytes = await read()
    look('answers', where, Buffer.from(bytes).toString())
    return bytes
  }
  const text = async (): Promise<string> => new TextDecoder().decode(await whole())
  return Object.assign(response, { arrayBuffer: whole, text, json: async () => JSON.parse(await text()) })
}

/** Whoever is given no log is given this one: nothing is printed, and yet nothing may be said. */
for (const level of ['debug', 'info', 'warn', 'error'] as const) {
  silentLog[level] = (fields, message) => look('lines', `a line of the log (${level})`, `${message} ${textOf(fields)}`)
}

function textOf(fields: object): string {
  return JSON.stringify(fields, (_, value) => {
    if (typeof value === 'bigint') return String(value)
    if (!(value instanceof Error)) return value
    return { ...value, message: value.message, stack: value.stack, cause: value.cause }
  })
}

afterAll(() => {
  const { leaks, looked } = takeLeaks()
  appendFileSync(inject('lookedAt'), `${JSON.stringify(looked)}\n`)
  if (leaks.length > 0) throw new Error(`SECRETS GOT OUT\n${leaks.join('\n')}`)
})
