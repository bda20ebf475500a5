import { loadStatement } from '../../../db/statement.ts'

const sql = (name: string) => loadStatement(import.meta.url, `./sql/${name}.sql`)

export const statements = {
  lockSpans: sql('lock_spans'),
  lookAtSpans: sql('look_at_spans'),
  markIds: sql('mark_ids'),
  markFull: sql('mark_full'),
  addSpan: sql('add_span'),
  removeSpan: sql('remove_span'),
  expirableSpans: sql('expirable_spans'),
  nextOrgToExpire: sql('next_org_to_expire'),
  expirePage: sql('expire_page'),
  findRetirable: sql('find_retirable'),
  findSurvivors: sql('find_survivors'),
  readSurvivors: sql('read_survivors'),
  moveSettled: sql('move_settled'),
  moveAttempts: sql('move_attempts'),
  movePayloads: sql('move_payloads'),
  forgetKeys: sql('forget_keys'),
  forgetChanges: sql('forget_changes'),
  liveTable: sql('live_table'),
  hasRestored: sql('has_restored'),
  countRuns: sql('count_runs'),
  adoptMessages: sql('adopt_messages'),
  dropRestoredChanges: sql('drop_restored_changes'),
} as const
