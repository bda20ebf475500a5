import type { Head } from '../engine/port.ts'
import { fail } from '../services/faults.ts'
import type { Note } from '../services/note.ts'
import { carrierIn } from '../tracing.ts'

/** Where in an action's or event's data its attributes stand. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  Schema: ['schema'],
  Stage: ['stage'],
  CampaignName: ['campaign', 'name'],
  ActionType: ['action', 'actionType'],
}

/** What push and event deliver of a message. @throws FaultError invalid */
export function composeNote(id: string, { body, key, headers }: Pick<Head, 'body' | 'key' | 'headers'>): Note {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : (body ?? '')
  return { id, body: text, attributes: attributesOf(parse(text)), group: key, trace: carrierIn(headers) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return fail('invalid', 'the body must be JSON')
  }
}

function attributesOf(data: unknown): Record<string, string> {
  const found = Object.entries(ATTRIBUTES).map(([name, path]) => [name, valueAt(data, path)])
  return Object.fromEntries(found.filter(([, value]) => value !== ''))
}

function valueAt(data: unknown, path: readonly string[]): string {
  const value = path.reduce<unknown>((part, name) => (isRecord(part) ? part[name] : undefined), data)
  return typeof value === 'string' ? value.slice(0, 256) : ''
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
