import type { ServiceFunction } from '@posthorn/contract'

/** The functions that take messages: each has a queue and a worker. Of the others one asks, and waits for the answer. */
export const queueFunctions = ['email', 'push', 'event'] as const satisfies ServiceFunction[]
export type QueueFunction = (typeof queueFunctions)[number]

export const hasQueue = (work: string): work is QueueFunction => (queueFunctions as readonly string[]).includes(work)
