import { loadStatement } from '../../db/statement.ts'

const sql = (name: string) => loadStatement(import.meta.url, `./sql/${name}.sql`)

export const statements = {
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
  pin: sql('pin'),
  take: sql('take'),
  settleDelivered: sql('settle_delivered'),
  settle: sql('settle'),
  lockQueue: sql('lock_queue'),
  claim: sql('claim'),
  claimOrdered: sql('claim_ordered'),
  acknowledge: sql('acknowledge'),
  rejectLater: sql('reject_later'),
  rejectDead: sql('reject_dead'),
  extend: sql('extend'),
} as const
