import type { Clock } from '../../clock.ts'
import type { Executor, Statement } from '../../db/port.ts'
import { FreshAnswers } from '../fresh-answers.ts'

export interface StoredTemplate {
  /** As `localeKey` gives it; '' is for whom no other fits. */
  readonly locale: string
  readonly subject: string
  readonly text: string | null
  readonly html: string | null
}

const FRESH_MS = 1_000
const FIND: Statement = {
  name: 'templates_of_name',
  text: 'SELECT locale, subject, text, html FROM posthorn.template WHERE org_id = $1::int AND name = $2::text',
}

/** `pt_BR` → `pt-br`. */
export const localeKey = (locale: string | null | undefined): string =>
  (locale ?? '').toLowerCase().replaceAll('_', '-')

/** From the narrowest to the widest: `pt-br`, `pt`, ''. */
export function localesToTry(locale: string | null | undefined): string[] {
  const parts = localeKey(locale).split('-').filter(Boolean)
  return [...parts.keys()].map(index => parts.slice(0, parts.length - index).join('-')).concat('')
}

/** The templates of orgs, as old as a second at most. */
export class TemplateBook {
  readonly #db: Executor
  readonly #known: FreshAnswers<readonly StoredTemplate[]>

  constructor({ db, clock }: { readonly db: Executor; readonly clock: Clock }) {
    this.#db = db
    this.#known = new FreshAnswers(clock, FRESH_MS)
  }

  /** The one that fits best; null if the org has none of that name that fits. @throws DatabaseError */
  async find(orgId: number, name: string, locale: string | null | undefined): Promise<StoredTemplate | null> {
    const ask = () => this.#db.query<StoredTemplate>(FIND, [orgId, name])
    const all = await this.#known.get(`${orgId} ${name}`, ask)
    for (const key of localesToTry(locale)) {
      const fit = all.find(template => template.locale === key)
      if (fit) return fit
    }
    return null
  }
}
