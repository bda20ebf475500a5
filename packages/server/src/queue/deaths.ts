import type { Notice } from '../engine/port.ts'

/** A message that is about to die, or has died. */
export interface Death {
  readonly orgId: number
  readonly queueId: number
  readonly messageId: number
  /** All that were made, the last one included. */
  readonly attempts: number
  readonly reason: string
  readonly deadLetterQueueId: number | null
}

/** Whoever is to hear of deaths. Returns at once and never throws. */
export interface Deaths {
  /** What is to be put in the same commit; null if nothing is. Also called for one that then lives on. */
  noticeOf(death: Death): Notice | null
  /** They have died, and it is committed. */
  died(deaths: readonly Death[]): void
}

export const silentDeaths: Deaths = { noticeOf: () => null, died() {} }
