import { Problem } from '@posthorn/contract'
import type { Executor, Statement } from '../db/port.ts'

/** How long a queue keeps what, in milliseconds after it was settled; null is as long as the installation does. */
export interface Retention {
  readonly messageRetentionMs: number | null
  readonly bodyRetentionMs: number | null
  readonly attemptRetentionMs: number | null
}

const PARTS = ['bodyRetentionMs', 'attemptRetentionMs'] as const

const HOLD: Statement = {
  name: 'hold_queue_retention',
  text: `SELECT message_retention_ms AS "messageRetentionMs", body_retention_ms AS "bodyRetentionMs",
    attempt_retention_ms AS "attemptRetentionMs"
    FROM posthorn.queue WHERE org_id = $1::int AND id = $2::int AND deleted_at IS NULL FOR NO KEY UPDATE`,
}

/**
 * What belongs to a message is not kept longer than the message.
 * @param given what the caller says of it, `kept` with all that was said before
 * @throws Problem validation_failed, naming the field that the caller gave
 */
export function checkRetention(given: Partial<Retention>, kept: Partial<Retention>, installationMs: number): void {
  const messages = kept.messageRetentionMs ?? null
  for (const part of PARTS) {
    const ms = kept[part] ?? null
    if (ms === null || ms <= (messages ?? installationMs)) continue
    const isGiven = given[part] !== undefined && given[part] !== null
    const field = isGiven ? part : 'messageRetentionMs'
    const whose =
      messages === null ? "the installation's retention, as messageRetentionMs is not set" : 'messageRetentionMs'
    const rule = isGiven
      ? `must not be over ${messages ?? installationMs}: ${whose}`
      : `must not be ${messages === null ? 'null' : `under ${ms}`}: the queue keeps its ${part} at ${ms}`
    throw new Problem('validation_failed', { problem: `body/${field} ${rule}`, field: `body/${field}` })
  }
}

/** Checks an update against what the queue has, which it holds until the transaction ends. */
export async function checkRetentionChange(
  tx: Executor,
  orgId: number,
  id: number,
  patch: Partial<Retention>,
  installationMs: number,
): Promise<void> {
  const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined))
  const [row] = await tx.query<Retention>(HOLD, [orgId, id])
  if (!row) throw new Problem('queue_not_found', { id })
  checkRetention(given, { ...row, ...given }, installationMs)
}

/** Whether anything of it is said. */
export function saysRetention(patch: Partial<Retention>): boolean {
  return patch.messageRetentionMs !== undefined || PARTS.some(part => patch[part] !== undefined)
}
