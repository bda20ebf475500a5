/** From what an org asks for to the email that a provider gets. */
import { EmailInput } from '@posthorn/contract'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { Body } from '../../engine/port.ts'
import type { Attachment, Email, Mailbox } from '../../services/email.ts'
import { fail } from '../../services/faults.ts'
import type { Assignment } from '../assignments.ts'
import { type Fields, render, TemplateError } from './render.ts'
import { rewriteSender } from './sender.ts'
import type { StoredTemplate } from './template-book.ts'

export interface ComposeMeans {
  readonly findTemplate: (orgId: number, name: string, locale: string | undefined) => Promise<StoredTemplate | null>
  /** Fetches what the org's storage has. @throws FaultError */
  readonly fetchFile: (
    orgId: number,
    path: string,
  ) => Promise<{ readonly contentType: string; readonly content: Buffer }>
}

let validate: ValidateFunction<EmailInput> | undefined

/** Reads the body of a message on the queue of a function email. @throws FaultError invalid, naming the field */
export function readEmailInput(body: Body): EmailInput {
  const text = Buffer.isBuffer(body) ? body.toString('utf8') : (body ?? '')
  let input: unknown
  try {
    input = JSON.parse(text)
  } catch {
    fail('invalid', 'the body must be an email as JSON: {"to": [{"address": …}], "subject": …, "text": …}')
  }
  validate ??= new Ajv({ strict: false }).compile<EmailInput>(EmailInput)
  if (!validate(input)) fail('invalid', `body${describe(validate.errors?.[0])}`)
  return input
}

function describe(error: ErrorObject | undefined): string {
  const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty
  return `${error?.instancePath ?? ''} ${error?.message ?? 'is not an email'}${extra === undefined ? '' : `: ${extra}`}`
}

/** @throws FaultError saying what is missing; DatabaseError */
export async function composeEmail(
  id: string,
  input: EmailInput,
  assignment: Assignment,
  means: ComposeMeans,
): Promise<Email> {
  const content = await contentOf(input, assignment, means)
  const { from, replyTo } = rewriteSender(senderOf(input, assignment), replyToOf(input), assignment)
  const attachments: Attachment[] = []
  for (const attachment of input.attachments ?? []) attachments.push(await attach(attachment, assignment.orgId, means))
  return {
    id,
    from,
    replyTo,
    to: input.to.map(mailboxOf),
    cc: (input.cc ?? []).map(mailboxOf),
    bcc: (input.bcc ?? []).map(mailboxOf),
    ...content,
    customId: input.customId ?? null,
    headers: input.headers ?? {},
    attachments,
  }
}

type Content = Pick<Email, 'subject' | 'text' | 'html' | 'template'>

async function contentOf(input: EmailInput, { orgId, orgName }: Assignment, means: ComposeMeans): Promise<Content> {
  const { template: name, providerTemplate: reference, fields = {} } = input
  const own = input.subject ?? input.text ?? input.html
  const given = [name, reference, own].filter(one => one !== undefined).length
  if (given !== 1)
    fail(
      'invalid',
      'exactly one of template, providerTemplate and the email’s own subject, text and html must be given',
    )
  if (reference !== undefined) return { subject: '', text: null, html: null, template: { reference, fields } }
  if (name === undefined) return merge({ ...emptyTemplate, ...input }, fields)
  const found = await means.findTemplate(orgId, name, input.locale)
  if (!found) fail('deferred', `org ${orgName} has no template ${name}${input.locale ? ` for ${input.locale}` : ''}`)
  return merge(found, fields)
}

const emptyTemplate = { subject: '', text: null, html: null }

/** @throws FaultError invalid, saying which part of the template is wrong */
function merge(template: Omit<StoredTemplate, 'locale'>, fields: Fields): Content {
  const part = (name: 'subject' | 'text' | 'html', text: string): string => {
    try {
      return render(text, fields, { html: name === 'html' })
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      return fail('invalid', `${name} of the template: ${error.message}`)
    }
  }
  const { subject, text, html } = template
  return {
    // What is merged into a subject must not end its line.
    subject: part('subject', subject).replace(/\s+/g, ' ').trim(),
    text: text === null ? null : part('text', text),
    html: html === null ? null : part('html', html),
    template: null,
  }
}

function senderOf({ from }: EmailInput, { emailFrom, orgName }: Assignment): Mailbox {
  if (from) return mailboxOf(from)
  if (emailFrom !== null) return { address: emailFrom, name: null }
  return fail('deferred', `from is not given, and org ${orgName} has no emailFrom`)
}

const replyToOf = ({ replyTo }: EmailInput): Mailbox | null => (replyTo ? mailboxOf(replyTo) : null)
const mailboxOf = ({ address, name }: { address: string; name?: string }): Mailbox => ({ address, name: name ?? null })

type AttachmentInput = NonNullable<EmailInput['attachments']>[number]

async function attach(input: AttachmentInput, orgId: number, means: ComposeMeans): Promise<Attachment> {
  const { filename, contentBase64, path, contentType, contentId = null } = input
  if ((contentBase64 === undefined) === (path === undefined))
    fail('invalid', `attachments: ${filename} must have either contentBase64 or path`)
  if (contentBase64 !== undefined) {
    const content = Buffer.from(contentBase64, 'base64')
    return { filename, contentType: contentType ?? 'application/octet-stream', content, contentId }
  }
  const file = await means.fetchFile(orgId, path!)
  return { filename, contentType: contentType ?? file.contentType, content: file.content, contentId }
}
