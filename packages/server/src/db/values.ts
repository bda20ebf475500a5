/**
 * Values between JavaScript and PostgreSQL's text format: one table for both databases, see the header of port.ts.
 *
 * A Date knows neither microseconds (they are cut off) nor infinity (it is the first or last moment a Date can hold).
 */
import { DatabaseError, type Param } from './port.ts'

type Parse = (text: string) => unknown

const LAST_MOMENT_MS = 8.64e15

const parseText: Parse = text => text
const parseBoolean: Parse = text => text === 't'
const parseBytes: Parse = text => Buffer.from(text.slice(2), 'hex')

/** Type oids, of a value and of an array of it. They are part of PostgreSQL's wire protocol and never change. */
const TYPES: readonly (readonly [oid: number, arrayOid: number, parse: Parse])[] = [
  [16, 1000, parseBoolean],
  [17, 1001, parseBytes],
  [21, 1005, Number],
  [23, 1007, Number],
  [20, 1016, Number],
  [701, 1022, Number],
  [5069, 271, Number], // xid8
  [1184, 1185, parseTimestamp],
  [114, 199, text => JSON.parse(text)],
  [3802, 3807, text => JSON.parse(text)],
  [25, 1009, parseText],
  [1043, 1015, parseText], // varchar
  [18, 1002, parseText], // "char"
  [19, 1003, parseText], // name
  [1700, 1231, parseText], // numeric
  [2950, 2951, parseText], // uuid
]

const parsers = new Map<number, Parse>(
  TYPES.flatMap(([oid, arrayOid, parse]) => [
    [oid, parse] as const,
    [arrayOid, (text: string) => parseArray(text, parse)] as const,
  ]),
)

/** Gives `pg` the parser of a type; everything that is not in the table stays text. */
export const typedValues = { getTypeParser: (oid: number): Parse => parsers.get(oid) ?? parseText }

/** Leaves every value as PostgreSQL printed it. */
export const textValues = { getTypeParser: (): Parse => parseText }

/** PostgreSQL prints `2025-11-20 16:28:00.123456+00`; only odd years and servers that ignore our time zone take the long way. */
function parseTimestamp(text: string): Date {
  if (text.charAt(4) === '-' && text.endsWith('+00')) return new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`)
  return parseOddTimestamp(text)
}

function parseOddTimestamp(text: string): Date {
  if (text === 'infinity') return new Date(LAST_MOMENT_MS)
  if (text === '-infinity') return new Date(-LAST_MOMENT_MS)
  const parts = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):([\d.]+)([+-])(\d\d):?(\d\d)?:?(\d\d)?( BC)?$/.exec(text)
  if (!parts) return new Date(Number.NaN)
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    ...number[],
  ]
  const date = new Date(0)
  date.setUTCFullYear(parts[11] ? 1 - year : year, month - 1, day)
  date.setUTCHours(hour!, minute, 0, Math.floor(second! * 1000))
  const offsetSeconds = Number(parts[8]) * 3600 + Number(parts[9] ?? 0) * 60 + Number(parts[10] ?? 0)
  return new Date(date.getTime() + (parts[7] === '+' ? -offsetSeconds : offsetSeconds) * 1000)
}

/** Parses `{1,NULL,"a \"b\"",{…}}`; explicit bounds (`[0:1]={…}`) are skipped. */
function parseArray(text: string, parse: Parse): unknown[] {
  let at = text.indexOf('{')
  const readList = (): unknown[] => {
    const list: unknown[] = []
    at++
    while (text[at] !== '}') {
      list.push(readElement())
      if (text[at] === ',') at++
    }
    at++
    return list
  }
  const readElement = (): unknown => {
    if (text[at] === '{') return readList()
    if (text[at] === '"') return parse(readQuoted())
    const start = at
    while (text[at] !== ',' && text[at] !== '}') at++
    const word = text.slice(start, at)
    return word === 'NULL' ? null : parse(word)
  }
  const readQuoted = (): string => {
    let value = ''
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === '\\') at++
      value += text[at]
    }
    at++
    return value
  }
  return readList()
}

/** What `pg` sends for a parameter: text, or bytes in binary. @throws DatabaseError (rejected) naming the parameter */
export function encodeParams(params: readonly Param[]): (string | Buffer | null)[] {
  return params.map((param, i) => {
    if (param instanceof Uint8Array) return Buffer.from(param.buffer, param.byteOffset, param.byteLength)
    return encodeText(param, i)
  })
}

function encodeText(param: Param, index: number): string | null {
  if (param === null) return null
  if (typeof param === 'string') return param
  if (Array.isArray(param)) return encodeArray(param, index)
  if (param instanceof Date) return encodeDate(param, index)
  if (param instanceof Uint8Array) return `\\x${Buffer.from(param).toString('hex')}`
  if (typeof param === 'object') return JSON.stringify(param)
  if (typeof param === 'number' || typeof param === 'bigint' || typeof param === 'boolean') return String(param)
  throw new DatabaseError(`parameter $${index + 1} is ${typeof param}, which has no form in SQL`, 'rejected')
}

function encodeArray(list: readonly Param[], index: number): string {
  const elements = list.map(element => {
    if (typeof element === 'number' || typeof element === 'bigint' || typeof element === 'boolean') return element
    if (Array.isArray(element)) return encodeArray(element, index)
    const text = encodeText(element, index)
    return text === null ? 'NULL' : `"${text.replace(/["\\]/g, '\\$&')}"`
  })
  return `{${elements.join(',')}}`
}

function encodeDate(date: Date, index: number): string {
  const time = date.getTime()
  if (Number.isNaN(time)) throw new DatabaseError(`parameter $${index + 1} is an invalid Date`, 'rejected')
  if (Math.abs(time) === LAST_MOMENT_MS) return time > 0 ? 'infinity' : '-infinity'
  const iso = date.toISOString()
  const year = date.getUTCFullYear()
  if (year > 0 && year < 10_000) return iso
  const dayAndTime = iso.slice(iso.indexOf('-', 1))
  return year > 0 ? `${year}${dayAndTime}` : `${String(1 - year).padStart(4, '0')}${dayAndTime} BC`
}
