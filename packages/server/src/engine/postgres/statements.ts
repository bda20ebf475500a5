import { loadStatement } from '../../db/statement.ts'

/**
 * The statements, one a file.
 *
 * `message` is empty one moment and full the next, so a plan may be made for an empty table and kept. For an empty table
 * reading a whole index is as good as looking into it, unless there is no reason to read it whole. So:
 * - a row is changed by `org_id = ANY (ARRAY[u.org_id]) AND id = u.id`. That is the primary key too, and not an order in
 *   which both sides could be merged;
 * - a queue is compared by IS NOT DISTINCT FROM beside that: an equality would imply the condition of `message_queue`;
 * - a payload is looked up in a LATERAL with LIMIT 1: as a plain join, in a partition known to be empty, it becomes a filter
 *   over all that the partition holds when it no longer is.
 * Of the indexes that fit a condition the one that gives the order is taken, because sorting is forced out (forced-plans.ts).
 * plans.test.ts holds them to it; docs/decisions/plans.md has what happens else.
 */
const sql = (name: string) => loadStatement(import.meta.url, `./sql/${name}.sql`)

export const statements = {
  look: sql('look'),
  markKey: sql('mark_key'),
  findStrangers: sql('find_strangers'),
  lock: sql('lock'),
  unlock: sql('unlock'),
  join: sql('join'),
  leave: sql('leave'),
  lead: sql('lead'),
  take: sql('take'),
  putPlain: sql('put_plain'),
  put: sql('put'),
  recall: sql('recall'),
  snapshot: sql('snapshot'),
  sweep: sql('sweep'),
  findLanes: sql('find_lanes'),
  findDue: sql('find_due'),
  findPinned: sql('find_pinned'),
  loadLanes: sql('load_lanes'),
  loadDue: sql('load_due'),
  loadKeys: sql('load_keys'),
  loadPinned: sql('load_pinned'),
  loadExpired: sql('load_expired'),
  nextDue: sql('next_due'),
  promote: sql('promote'),
  fold: sql('fold'),
  pin: sql('pin'),
  settleDelivered: sql('settle_delivered'),
  settle: sql('settle'),
  awaitSettles: sql('await_settles'),
  findRecorded: sql('find_recorded'),
  orderingOf: sql('ordering_of'),
  lockQueue: sql('lock_queue'),
  claim: sql('claim'),
  claimOrdered: sql('claim_ordered'),
  acknowledge: sql('acknowledge'),
  rejectLater: sql('reject_later'),
  rejectDead: sql('reject_dead'),
  extend: sql('extend'),
} as const
