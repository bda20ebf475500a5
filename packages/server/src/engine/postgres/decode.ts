import type { TextRow } from '../../db/port.ts'
import type { Head, Snapshot } from '../port.ts'

/** The columns of every load_….sql, in their order. */
export function headOf(row: TextRow): Head {
  return {
    queueId: Number(row[0]),
    id: Number(row[1]),
    orgId: Number(row[2]),
    xid: Number(row[3]),
    lane: Number(row[4]),
    attempts: Number(row[5]),
    forgiven: Number(row[6]),
    key: row[7]!,
    dueAt: numberOrNull(row[8]!),
    retryAt: numberOrNull(row[9]!),
    expiresAt: numberOrNull(row[10]!),
    pin: numberOrNull(row[11]!),
    body: row[13] === null ? row[12]! : Buffer.from(row[13]!, 'hex'),
    headers: row[14]!,
    lost: row[15] !== null,
    slot: -1,
  }
}

export function snapshotOf(xmin: string, xmax: string, xip: string | null): Snapshot {
  return { xmin: Number(xmin), xmax: Number(xmax), xip: xip === null ? [] : xip.split(',').map(Number) }
}

export function numberOrNull(text: string | null): number | null {
  return text === null ? null : Number(text)
}
