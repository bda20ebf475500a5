/** One email as it is handed to a provider: everything merged, unless it names a template of the provider's own. */

export interface Mailbox {
  readonly address: string
  readonly name: string | null
}

export interface Email {
  /** The message's webhook id: the same for every attempt. */
  readonly id: string
  readonly from: Mailbox
  readonly to: readonly Mailbox[]
  readonly cc: readonly Mailbox[]
  readonly bcc: readonly Mailbox[]
  readonly replyTo: Mailbox | null
  readonly subject: string
  readonly text: string | null
  readonly html: string | null
  /** A template that the provider keeps, with the fields to merge; instead of subject, text and html. */
  readonly template: { readonly reference: string; readonly fields: Readonly<Record<string, unknown>> } | null
  /** The org's own id of it, which comes back in the provider's events. */
  readonly customId: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly attachments: readonly Attachment[]
}

export interface Attachment {
  readonly filename: string
  readonly contentType: string
  readonly content: Buffer
  /** For images that the html shows: `cid:` and this. */
  readonly contentId: string | null
}

const MAX_RECIPIENTS = 50
const MAX_ADDRESS = 320
const MAX_LINE = 998
/** After an encoding in base64 the smallest bound of a provider is nearly reached. */
const MAX_CONTENT_BYTES = 10 * 1024 * 1024
/** Nothing that would end the address, add another, or leave the header. */
const ADDRESS = /^[^\s<>()[\],;:"\\@]+@[^\s<>()[\],;:"\\@]+$/u
const CONTROL = /\p{Cc}/u
const HEADER_NAME = /^[!-9;-~]{1,76}$/
/** Set from the fields above; given again they would contradict them, or add recipients unseen. */
const OWN_HEADERS =
  /^(from|sender|to|cc|bcc|reply-to|subject|date|message-id|return-path|mime-version|content-.*|dkim-.*|received|resent-.*)$/i

/** What keeps this email from being sent by any provider, naming the field and the bound; null if nothing does. */
export function wrongEmail(email: Email): string | null {
  const recipients = [...email.to, ...email.cc, ...email.bcc]
  if (recipients.length === 0) return 'to must name at least one recipient'
  if (recipients.length > MAX_RECIPIENTS)
    return `to, cc and bcc must name at most ${MAX_RECIPIENTS} recipients, they name ${recipients.length}`
  const addresses = [
    ...named('from', [email.from]),
    ...named('to', email.to),
    ...named('cc', email.cc),
    ...named('bcc', email.bcc),
    ...named('replyTo', email.replyTo === null ? [] : [email.replyTo]),
  ]
  return (
    first(addresses, ([field, mailbox]) => wrongMailbox(field, mailbox)) ??
    wrongContent(email) ??
    first(Object.entries(email.headers), ([name, value]) => wrongHeader(name, value)) ??
    first(email.attachments, wrongAttachment)
  )
}

function named(field: string, mailboxes: readonly Mailbox[]): [string, Mailbox][] {
  return mailboxes.map(mailbox => [field, mailbox])
}

function first<T>(items: readonly T[], judge: (item: T) => string | null): string | null {
  for (const item of items) {
    const problem = judge(item)
    if (problem !== null) return problem
  }
  return null
}

function wrongMailbox(field: string, { address, name }: Mailbox): string | null {
  if (address.length > MAX_ADDRESS) return `${field} must be an address of at most ${MAX_ADDRESS} characters`
  if (!ADDRESS.test(address) || CONTROL.test(address)) return `${field} must be an email address: name@domain`
  if (name !== null && (CONTROL.test(name) || name.length > MAX_LINE))
    return `${field} must have a name on one line of at most ${MAX_LINE} characters`
  return null
}

function wrongContent({ subject, text, html, template, customId, attachments }: Email): string | null {
  if (CONTROL.test(subject) || subject.length > MAX_LINE)
    return `subject must be one line of at most ${MAX_LINE} characters`
  if (text === null && html === null && template === null) return 'text, html or template must be given'
  if (customId !== null && !/^[\w.@-]{1,256}$/.test(customId))
    return 'customId must have 1 to 256 characters of A-Z, a-z, 0-9, _, -, . and @'
  const bytes =
    Buffer.byteLength(text ?? '') +
    Buffer.byteLength(html ?? '') +
    attachments.reduce((sum, { content }) => sum + content.length, 0)
  return bytes > MAX_CONTENT_BYTES
    ? `text, html and attachments must have at most ${MAX_CONTENT_BYTES} bytes, they have ${bytes}`
    : null
}

function wrongHeader(name: string, value: string): string | null {
  if (!HEADER_NAME.test(name)) return `headers: ${JSON.stringify(name.slice(0, 80))} is not a header's name`
  if (OWN_HEADERS.test(name)) return `headers.${name} is made from the email's own fields and cannot be given`
  return CONTROL.test(value) || value.length > MAX_LINE
    ? `headers.${name} must be one line of at most ${MAX_LINE} characters`
    : null
}

function wrongAttachment({ filename, contentType, contentId }: Attachment): string | null {
  if (CONTROL.test(filename) || filename === '' || filename.length > 255)
    return 'attachments: filename must be one line of 1 to 255 characters'
  if (!/^[\w.+-]{1,127}\/[\w.+-]{1,127}(; ?[\w-]+="?[\w.+ -]+"?)*$/.test(contentType))
    return `attachments: the contentType of ${filename} must be a media type, such as image/png`
  return contentId === null || /^[\w.@+-]{1,128}$/.test(contentId)
    ? null
    : `attachments: the contentId of ${filename} must have 1 to 128 characters of A-Z, a-z, 0-9, _, -, ., + and @`
}

/** A mailbox as it stands in a header: `"Ann" <ann@example.org>`, with a name beyond ASCII as RFC 2047 has it. */
export function formatMailbox({ address, name }: Mailbox): string {
  if (name === null || name === '') return address
  if (/^[\x20-\x7e]*$/.test(name)) return `"${name.replace(/[\\"]/g, '\\$&')}" <${address}>`
  return `${encodeWords(name)} <${address}>`
}

/** Encoded words hold at most 75 characters each, and no character may be cut in two. */
function encodeWords(text: string): string {
  const words: string[] = []
  let word = ''
  for (const character of text) {
    if (Buffer.byteLength(word + character) > 45) {
      words.push(word)
      word = ''
    }
    word += character
  }
  return [...words, word].map(part => `=?UTF-8?B?${Buffer.from(part).toString('base64')}?=`).join(' ')
}

/** Bytes of an email on its way, about: contents in JSON or base64 grow by up to a half, and there are headers. */
export function sizeOfEmail({ text, html, template, attachments }: Email): number {
  const contents = attachments.reduce((sum, { content }) => sum + content.length, 0)
  const words = [text ?? '', html ?? '', template === null ? '' : JSON.stringify(template.fields)]
  return 4_096 + Math.ceil(1.4 * words.reduce((sum, word) => sum + Buffer.byteLength(word), contents))
}
