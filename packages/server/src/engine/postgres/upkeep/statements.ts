import { loadStatement } from '../../../db/statement.ts'

const sql = (name: string) => loadStatement(import.meta.url, `./sql/${name}.sql`)

export const statements = {
  lockSpans: sql('lock_spans'),
  lookAtSpans: sql('look_at_spans'),
  markIds: sql('mark_ids'),
  markFull: sql('mark_full'),
  addSpan: sql('add_span'),
} as const
