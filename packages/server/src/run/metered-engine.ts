import type { PushEngine } from '../engine/port.ts'

export interface EngineMeter {
  /** `count`: of messages, outcomes or lanes; `ms`: how long it took. */
  acted(act: string, ms: number, count: number): void
  failed(act: string): void
}

const ACTS = {
  put: 'put',
  settle: 'settle',
  sweep: 'sweep',
  findWork: 'find',
  loadLanes: 'load',
  loadDue: 'load',
  loadKeys: 'load',
  loadPinned: 'load',
  loadExpired: 'load',
  pin: 'pin',
  promote: 'promote',
  fold: 'fold',
} as const satisfies Partial<Record<keyof PushEngine, string>>

type Act = (...asked: unknown[]) => Promise<unknown>

/** The engine, with a word to the meter of each act: once for a batch, so that it costs next to nothing. */
export function meterEngine<E extends PushEngine>(engine: E, meter: EngineMeter, now: () => number): E {
  const metered: Record<string, Act> = {}
  for (const [method, act] of Object.entries(ACTS)) {
    const run = (engine[method as keyof typeof ACTS] as Act).bind(engine)
    metered[method] = async (...asked) => {
      const startedAt = now()
      try {
        const answer = await run(...asked)
        const counted = act === 'load' ? answer : asked[0]
        meter.acted(act, now() - startedAt, Array.isArray(counted) ? counted.length : 0)
        return answer
      } catch (error) {
        meter.failed(act)
        throw error
      }
    }
  }
  return { ...engine, ...metered }
}
