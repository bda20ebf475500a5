import type { Email } from './email.ts'

/** What a stand-in was given, wherever in the installation that was. */
export interface Inbox {
  /** @throws FaultError if it cannot be kept */
  add(entries: readonly InboxEntry[]): Promise<void>
  /** The newest first. */
  list(): Promise<readonly InboxEntry[]>
}

export interface InboxEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly email?: ShownEmail
  readonly lookup?: { readonly email: string; readonly contactRef: string | null }
}

/** An email as it is looked at: its attachments by their size. */
export type ShownEmail = Omit<Email, 'attachments'> & {
  readonly attachments: readonly { readonly filename: string; readonly contentType: string; readonly content: string }[]
}

/** As many as a person looks through. */
export const INBOX_KEEPS = 200
const LONGEST_TEXT = 50_000

export function showEmail({ text, html, attachments, ...email }: Email): ShownEmail {
  return {
    ...email,
    text: cut(text),
    html: cut(html),
    attachments: attachments.map(one => ({ ...one, content: `${one.content.length} bytes` })),
  }
}

function cut(text: string | null): string | null {
  return text === null || text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`
}
