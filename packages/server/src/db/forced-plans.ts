/**
 * How statements that take a little from very much are planned: along an index that gives what they want in their order,
 * whatever the statistics say. Those of a table that is empty one moment and full the next mislead the planner.
 */
import type { Statement } from './port.ts'

export const FORCED_PLANS = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off', // a plain index scan ends at its limit, keeps its order and marks the dead entries it meets
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_sort: 'off', // what one index gives in order is not read along another one, all of it, and sorted
  enable_incremental_sort: 'off',
  enable_memoize: 'off', // what a statement looks up, it looks up once: remembering it costs an eighth of a load
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
}

const settings = Object.entries(FORCED_PLANS)

/** Forces them for the rest of the transaction. */
export const FORCE_PLANS: Statement = {
  name: 'force_plans',
  text: `SELECT ${settings.map(([name, value]) => `set_config('${name}', '${value}', true)`).join(', ')}`,
}

/** Where one session is used for everything: forces them until they are let go. */
export const FORCE_PLANS_OF_SESSION = settings.map(([name, value]) => `SET ${name} = ${value}`).join('; ')
export const LET_PLANS_GO = settings.map(([name]) => `RESET ${name}`).join('; ')
