import type { Clock } from '../clock.ts'
import type { AttemptRecord, Head, Settled, Settlement, Tenure, Verdict } from '../engine/port.ts'
import type { Log } from '../log.ts'
import type { Death } from '../queue/deaths.ts'
import { Lot } from './lot.ts'
import type { Happenings, Meter } from './port.ts'
import type { Shard } from './shard.ts'

/** An attempt that is over, or a message that ends without one. */
export interface Finished {
  readonly head: Head
  readonly shard: Shard
  readonly verdict: Verdict
  readonly attempt: AttemptRecord | null
  /** Others wait for this one: settle at once. */
  readonly urgent: boolean
}

export interface SettlerOptions {
  readonly settle: (batch: readonly Settlement[], again: boolean) => Promise<Settled>
  readonly clock: Clock
  readonly log: Log
  readonly meter: Meter
  readonly happenings: Pick<Happenings, 'noticeOf' | 'died'>
  /** Settled and committed. `held` is false for what another node owns by now: its message was left alone. */
  readonly settled: (finished: readonly Finished[], held: (one: Finished) => boolean) => void
  readonly deadLettered: (queueIds: readonly number[]) => void
}

const BATCH = 500
const FLUSH_MS = 5
/** Whoever waited longer where they come one by one would be settled while the next one is put, and be in its way. */
const FEW_FLUSH_MS = 1
/** Of what was not delivered. Nobody waits for it, or it is urgent; and it costs a statement of its own. */
const OTHERS_FLUSH_MS = 25
const AT_ONCE = 2
const RETRY_MS = { first: 100, most: 2000 }

/**
 * Brings outcomes to the database, many in one statement.
 *
 * Guarantees that every outcome is recorded before its message is forgotten: a batch that fails is tried again until it
 * is committed or known to be fenced, however long the database is away (the dispatcher starts nothing new while too many
 * wait). A batch whose commit is in doubt is tried again in a way that records nothing twice.
 * A batch that the server refuses is cut in halves until the row that it refuses is alone; that one goes without its texts.
 */
export class Settler {
  readonly #options: SettlerOptions
  /** Delivered messages go by themselves: their statement is shorter, and a receiver that fails does not make it longer. */
  readonly #delivered: Lot<Finished>
  readonly #others: Lot<Finished>
  #underWay = 0
  #flushing = 0
  #stopped = false

  constructor(options: SettlerOptions) {
    this.#options = options
    const shared = { clock: options.clock, full: BATCH, due: () => this.#flush() }
    this.#delivered = new Lot({ ...shared, waitMs: FLUSH_MS, fewWaitMs: FEW_FLUSH_MS })
    this.#others = new Lot({ ...shared, waitMs: OTHERS_FLUSH_MS, fewWaitMs: OTHERS_FLUSH_MS })
  }

  /** Outcomes not yet committed. */
  get pending(): number {
    return this.#delivered.size + this.#others.size + this.#underWay
  }

  add(finished: Finished): void {
    // Needed no more, and a slow database lets thousands wait here.
    finished.head.body = null
    finished.head.headers = null
    const lot = finished.verdict.kind === 'delivered' ? this.#delivered : this.#others
    lot.add(finished, finished.urgent)
  }

  /** Gives up: what is not settled now will be attempted again by the next owner. */
  stop(): void {
    this.#stopped = true
    this.#delivered.stop()
    this.#others.stop()
  }

  /** The others go first: they are few, if anything, and keep nobody waiting. */
  #flush(): void {
    for (const lot of [this.#others, this.#delivered])
      while (lot.isDue && this.#flushing < AT_ONCE) this.#begin(lot.take(BATCH))
  }

  #begin(batch: readonly Finished[]): void {
    this.#flushing += 1
    this.#underWay += batch.length
    void this.#settle(batch, false).then(() => {
      this.#flushing -= 1
      this.#flush()
    })
  }

  async #settle(batch: readonly Finished[], again: boolean): Promise<void> {
    for (let waitMs = RETRY_MS.first; !this.#stopped; waitMs = Math.min(waitMs * 2, RETRY_MS.most)) {
      const epochs = batch.map(({ shard }) => shard.epoch)
      try {
        const settled = await this.#options.settle(this.#settlementsOf(batch), again)
        return await this.#finish(batch, epochs, settled)
      } catch (error) {
        if (isAboutData(error) && !batch.every(isBare)) return this.#divide(batch, again, error as Error)
        this.#options.log.warn({ messages: batch.length, waitMs, err: error }, 'settling failed; trying again')
        again ||= (error as { outcome?: string }).outcome === 'unknown'
        await new Promise<void>(resolve => this.#options.clock.setTimer(resolve, waitMs))
      }
    }
  }

  #settlementsOf(batch: readonly Finished[]): Settlement[] {
    const { happenings } = this.#options
    let tenure: Tenure = { shard: -1, epoch: -1 }
    return batch.map(one => {
      const { head, shard, verdict, attempt } = one
      const { orgId, queueId, id, attempts } = head
      if (tenure.shard !== shard.shard || tenure.epoch !== shard.epoch)
        tenure = { shard: shard.shard, epoch: shard.epoch }
      const notice = verdict.kind === 'dead' ? happenings.noticeOf(deathOf(one, verdict)) : null
      return { orgId, queueId, id, attempts, tenure, verdict, attempt, notice }
    })
  }

  async #finish(
    batch: readonly Finished[],
    epochs: readonly number[],
    { fenced, deadLettered, dead }: Settled,
  ): Promise<void> {
    this.#options.meter.settled(batch)
    const isFenced = (shard: number, epoch: number): boolean =>
      fenced.some(tenure => tenure.shard === shard && tenure.epoch === epoch)
    const isOutdated = ({ shard }: Finished, nth: number): boolean => isFenced(shard.shard, epochs[nth]!)
    const outdated = new Set(fenced.length === 0 ? [] : batch.filter(isOutdated))
    // Taken again by this same node while the settle was on its way: the attempt is on record, its message follows now.
    const renewed = [...outdated].filter(({ shard }) => shard.state === 'owned' && !isFenced(shard.shard, shard.epoch))
    for (const one of renewed) outdated.delete(one)
    if (outdated.size > 0) this.#options.meter.fenced(outdated.size)
    const over = renewed.length === 0 ? batch : batch.filter(one => !renewed.includes(one))
    // Before anybody is told: whoever waits for fewer to be pending looks when it hears of these.
    this.#underWay -= over.length
    if (over.length > 0) this.#options.settled(over, one => !outdated.has(one))
    if (deadLettered.length > 0) this.#options.deadLettered(deadLettered)
    if (dead.length > 0) this.#options.happenings.died(deathsOf(batch, new Set(dead)))
    if (renewed.length > 0) await this.#settle(renewed, true)
  }

  async #divide(batch: readonly Finished[], again: boolean, error: Error): Promise<void> {
    if (batch.length > 1) {
      const half = batch.length >> 1
      await this.#settle(batch.slice(0, half), again)
      await this.#settle(batch.slice(half), again)
      return
    }
    const [one] = batch
    this.#options.log.error(
      { messageId: one!.head.id, err: error },
      'an outcome was refused; recording it without texts',
    )
    await this.#settle([withoutTexts(one!)], again)
  }
}

function deathOf({ head, attempt }: Finished, { reason, deadLetterQueueId }: Verdict & { kind: 'dead' }): Death {
  const { orgId, queueId, id: messageId } = head
  const attempts = head.attempts + (attempt ? 1 : 0)
  return { orgId, queueId, messageId, attempts, reason, deadLetterQueueId }
}

function deathsOf(batch: readonly Finished[], dead: ReadonlySet<number>): Death[] {
  return batch.flatMap(one => (one.verdict.kind === 'dead' && dead.has(one.head.id) ? deathOf(one, one.verdict) : []))
}

/**
 * SQLSTATE classes 22 (data) and 23 (constraint): the batch as it is will never be accepted. All but 23514, which is a
 * missing partition: the janitor makes it, and then the batch is fine.
 */
function isAboutData(error: unknown): boolean {
  const state = (error as { sqlState?: string }).sqlState ?? ''
  return /^2[23]/.test(state) && state !== '23514'
}

const BARE = 'see the log'

const isBare = ({ attempt, verdict }: Finished): boolean =>
  !attempt?.error && !attempt?.excerpt && (!('reason' in verdict) || verdict.reason === BARE)

function withoutTexts(one: Finished): Finished {
  const attempt = one.attempt && { ...one.attempt, error: null, excerpt: null }
  const verdict = 'reason' in one.verdict ? { ...one.verdict, reason: BARE } : one.verdict
  return { ...one, attempt, verdict }
}
