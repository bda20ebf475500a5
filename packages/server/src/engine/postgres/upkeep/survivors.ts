/** What must outlive a span: finding it, reading it beforehand, moving it. */
import type { Executor } from '../../../db/port.ts'
import type { SpanRange } from './plan-spans.ts'
import { statements } from './statements.ts'

export interface Survivors {
  readonly settled: { readonly orgs: number[]; readonly ids: number[] }
  /** Whose attempts stay: settled and live. */
  readonly messages: { readonly queues: number[]; readonly ids: number[] }
  readonly payloads: number[]
}

interface Row {
  readonly kind: 'l' | 'd' | 'p'
  readonly org_id: number
  readonly queue_id: number | null
  readonly id: number
  readonly payload_id: number | null
}

/** Of each kind at most `most`. Not prepared: a plan for any range would have to do without knowing which partitions it needs. */
export async function findSurvivors(
  tx: Executor,
  { lo, hi }: SpanRange,
  retentionMs: number,
  most: number,
): Promise<Survivors> {
  const { text } = statements.findSurvivors
  const rows = await tx.query<Row>({ name: '', text }, [lo, hi, retentionMs, most])
  const settled = rows.filter(row => row.kind === 'd')
  const messages = rows.filter(row => row.kind !== 'p' && row.queue_id !== null)
  const payloads = rows.map(row => row.payload_id).filter(id => id !== null && id >= lo && id < hi) as number[]
  return {
    settled: { orgs: settled.map(row => row.org_id), ids: settled.map(row => row.id) },
    messages: { queues: messages.map(row => row.queue_id!), ids: messages.map(row => row.id) },
    payloads: [...new Set(payloads)],
  }
}

/** Also reads them to their last byte, so that they are in memory by the time that puts have to wait for the move. */
export async function countSurvivors(
  tx: Executor,
  span: SpanRange,
  retentionMs: number,
  most: number,
): Promise<number> {
  await useIndexes(tx)
  const survivors = await findSurvivors(tx, span, retentionMs, most + 1)
  if (sizeOf(survivors) > most) return sizeOf(survivors)
  const { messages, payloads } = survivors
  const params = [messages.queues, messages.ids, payloads, span.lo, span.hi]
  const [read] = await tx.query<{ attempts: number }>({ name: '', text: statements.readSurvivors.text }, params)
  return Math.max(sizeOf(survivors), read!.attempts)
}

export function sizeOf({ settled, messages, payloads }: Survivors): number {
  return Math.max(settled.ids.length, messages.ids.length, payloads.length)
}

/** Statistics of these tables are of no use: all that is asked here is asked by key. */
export function useIndexes(tx: Executor): Promise<void> {
  return tx.exec(`SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;
    SET LOCAL enable_mergejoin = off; SET LOCAL jit = off`)
}

/** Copies them to the tables whose names end in `suffix`, which are attached to nothing. */
export async function copySurvivors(
  tx: Executor,
  suffix: string,
  { lo, hi }: SpanRange,
  { settled, messages, payloads }: Survivors,
): Promise<void> {
  const { moveSettled, moveAttempts, movePayloads } = statements
  const into = (text: string) => ({
    name: '',
    text: text.replace(/^INSERT INTO (\S+)_old$/m, `INSERT INTO $1${suffix}`),
  })
  await tx.query(into(moveSettled.text), [settled.orgs, settled.ids, lo, hi])
  await tx.query(into(moveAttempts.text), [messages.queues, messages.ids, lo, hi])
  await tx.query(into(movePayloads.text), [payloads, lo, hi])
}
