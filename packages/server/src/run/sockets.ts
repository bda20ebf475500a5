import { readFileSync } from 'node:fs'

/** What this process may open, divided. */
export interface SocketPlan {
  /** Files and sockets together. */
  readonly files: number
  /** Connections to receivers. */
  readonly sockets: number
  /** Attempts at once. */
  readonly inFlight: number
  /** Connections of callers; 0 where none are served. */
  readonly callers: number
}

export interface SocketWishes {
  readonly files: number
  /** Null: what the attempts need. */
  readonly maxSockets: number | null
  readonly maxInFlight: number
  /** Most connections to the database at once. */
  readonly database: number
  readonly servesCallers: boolean
}

/** Where the system does not say. */
const USUAL_FILES = 10_000
/** Modules, logs, pipes, timers, an embedded database's tables. */
const OTHER_FILES = 200
const FEWEST = 16
/** Of the sockets, when callers are served too. */
const RECEIVERS_SHARE = 3 / 4
/** For each attempt: as many as are under way at most while each queue has its first one (see round.ts), and some idle. */
const SOCKETS_PER_ATTEMPT = 5

/** How many files this process may have open. */
export function readFileLimit(read: () => string = () => readFileSync('/proc/self/limits', 'utf8')): number {
  try {
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(read()) ?? []
    return soft === undefined ? USUAL_FILES : soft === 'unlimited' ? 1_000_000 : Number(soft)
  } catch {
    return USUAL_FILES
  }
}

/** Divides what may be opened. @throws Error in one sentence for an operator, if it cannot be what was asked for */
export function planSockets({ files, maxSockets, maxInFlight, database, servesCallers }: SocketWishes): SocketPlan {
  const kept = OTHER_FILES + database
  const most = Math.floor((files - kept) * (servesCallers ? RECEIVERS_SHARE : 1))
  const room = `this process may open ${files} files (ulimit -n), of which ${kept} are kept for the database and itself`
  if (most < FEWEST) throw new Error(`${room}: that leaves too few sockets for receivers; allow ${kept + 1000} or more`)
  if (maxSockets !== null && maxSockets > most) {
    throw new Error(`maxSockets is ${maxSockets}, but ${room}: it must be ${most} at most`)
  }
  const sockets = maxSockets ?? Math.min(most, maxInFlight * SOCKETS_PER_ATTEMPT)
  const callers = servesCallers ? files - kept - sockets : 0
  return { files, sockets, inFlight: Math.min(maxInFlight, sockets), callers }
}
