/** The words for where a message stands and how an attempt ended. */

/** `pending` is live; the others are settled and final until a redrive or a resend. */
export const messageStatuses = ['pending', 'delivered', 'dead', 'cancelled', 'expired'] as const
export type MessageStatus = (typeof messageStatuses)[number]

/** `retry`: it failed, and another attempt follows. `dead`: it failed, and was the last. */
export const attemptOutcomes = ['delivered', 'retry', 'dead'] as const
export type AttemptOutcome = (typeof attemptOutcomes)[number]

/** How strictly a queue keeps the order of its messages: not at all, all of them, or those with the same key. */
export const orderings = ['none', 'queue', 'key'] as const
export type Ordering = (typeof orderings)[number]

/** What a queue does when its receiver answers 410 Gone. */
export const goneRules = ['fail', 'pause'] as const
export type GoneRule = (typeof goneRules)[number]

/** Longest is 7 characters; every one is understood by Node's own HTTP parser. */
export const methods = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE', 'HEAD', 'OPTIONS'] as const
export type Method = (typeof methods)[number]

/** What becomes of a cron's ticks that nobody stored in time. */
export const misfireRules = ['skip', 'one', 'all'] as const
export type MisfireRule = (typeof misfireRules)[number]
