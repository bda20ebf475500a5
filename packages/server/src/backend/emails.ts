import { type EmailInput, type Message, type MessagePut, Problem } from '@posthorn/contract'
import type { Executor, Statement } from '../db/port.ts'
import type { Caller } from '../tenant/caller.ts'
import type { TemplateBook } from './email/template-book.ts'
import type { BackendCaller, Reach, ReachedOrg } from './reach.ts'

export interface EmailsOptions {
  readonly db: Executor
  readonly templates: TemplateBook
  readonly reach: Reach
  readonly put: (caller: Caller, message: MessagePut) => Promise<Message>
}

const QUEUE: Statement = {
  name: 'email_queue',
  text: `SELECT id FROM posthorn.queue
    WHERE org_id = $1::int AND function = 'email' AND deleted_at IS NULL AND attached_at IS NOT NULL`,
}

export type Emails = ReturnType<typeof createEmails>

/** Emails, as orgs ask for them: what can be known to be wrong is refused before it is stored. */
export function createEmails({ db, templates, reach, put }: EmailsOptions) {
  return {
    /** @throws Problem org_unknown, function_detached, template_unknown, validation_failed, idempotency_conflict */
    async send(
      caller: BackendCaller,
      input: EmailInput & { readonly orgName?: string; readonly idempotencyKey?: string },
    ): Promise<Message> {
      const { orgName, idempotencyKey, ...email } = input
      const org = await reach(caller, orgName)
      const [queue] = await db.query<{ id: number }>(QUEUE, [org.id])
      if (!queue) throw new Problem('function_detached', { who: `Org ${org.name}`, function: 'email' })
      await check(email, org, templates)
      const message = { queueId: queue.id, body: JSON.stringify(email) }
      return put({ ...caller, orgId: org.id }, idempotencyKey === undefined ? message : { ...message, idempotencyKey })
    },
  }
}

async function check(email: EmailInput, org: ReachedOrg, templates: TemplateBook): Promise<void> {
  const { template, providerTemplate, subject, text, html, locale, from } = email
  const refuse = (field: string, problem: string): never => {
    throw new Problem('validation_failed', { problem: `body/${field} ${problem}`, field: `body/${field}` })
  }
  const contents = [template, providerTemplate, text ?? html].filter(one => one !== undefined)
  if (contents.length !== 1) refuse('template', 'or providerTemplate or text and html must be given: one of the three')
  if ((text ?? html) === undefined ? subject !== undefined : subject === undefined)
    refuse('subject', 'must be given with text or html, and not with a template')
  if (!from && org.emailFrom === null) refuse('from', `must be given: org ${org.name} has no emailFrom`)
  if (template !== undefined && (await templates.find(org.id, template, locale)) === null)
    throw new Problem('template_unknown', { org: org.name, template: locale ? `${template} for ${locale}` : template })
}
