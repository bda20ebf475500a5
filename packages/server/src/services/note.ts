import type { Carrier } from '../tracing.ts'

/** What push and event deliver: an action's or an event's data, as JSON, with a few words about it. */
export interface Note {
  /** The message's webhook id: the same for every attempt. */
  readonly id: string
  /** JSON, sent as it stands. */
  readonly body: string
  /** Schema, Stage, CampaignName, ActionType … Empty ones are left out. */
  readonly attributes: Readonly<Record<string, string>>
  /** Notes of one group keep their order where the service can keep one. */
  readonly group: string | null
  /** The trace that it belongs to, for services that are told of it: headers of W3C Trace Context. */
  readonly trace: Carrier | null
}

const MAX_ATTRIBUTES = 10

/** What keeps this note from being sent by any service; null if nothing does. */
export function wrongNote({ body, attributes }: Note): string | null {
  if (body === '') return 'body must not be empty'
  const names = Object.keys(attributes)
  if (names.length > MAX_ATTRIBUTES) return `attributes must be at most ${MAX_ATTRIBUTES}, there are ${names.length}`
  const bad = names.find(name => !/^[A-Za-z][\w-]{0,255}$/.test(name))
  return bad === undefined
    ? null
    : `attributes: ${JSON.stringify(bad.slice(0, 80))} must begin with a letter, and have letters, digits, _ and - only`
}

/** Bytes as a message queue counts them: the body, and every attribute with its name and type. */
export function sizeOfNote({ body, attributes }: Note): number {
  const words = Object.entries(attributes).flatMap(([name, value]) => [name, value, 'String'])
  return [body, ...words].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
