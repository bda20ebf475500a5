/** An email as an org asks for it; on the queue of its function `email` each message is one of these, as JSON. */
import { type Static, Type } from '@sinclair/typebox'
import { Locale, TemplateName } from './resources/template.ts'
import { Text } from './schema.ts'

const closed = { additionalProperties: false }
const line = (maxLength: number, description?: string) => Text({ maxLength, ...(description && { description }) })
const Address = Text({ minLength: 3, maxLength: 320, description: 'name@domain' })
const Mailbox = Type.Object({ address: Address, name: Type.Optional(line(998)) }, { ...closed, title: 'mailbox' })
const mailboxes = (description: string) => Type.Array(Mailbox, { maxItems: 50, description })
const MergeFields = Type.Unsafe<Record<string, unknown>>({
  type: 'object',
  description: 'What stands for the fields of the template.',
})

export const EmailInput = Type.Object(
  {
    to: Type.Array(Mailbox, { minItems: 1, maxItems: 50, description: 'Who gets it, all in one email.' }),
    cc: Type.Optional(mailboxes('Who gets a copy.')),
    bcc: Type.Optional(mailboxes('Who gets a copy unseen.')),
    from: Type.Optional({ ...Mailbox, description: 'The org’s emailFrom, if it is not given.' } as typeof Mailbox),
    replyTo: Type.Optional(Mailbox),
    subject: Type.Optional(line(998, 'Instead of a template; Mustache too.')),
    text: Type.Optional(line(1_000_000)),
    html: Type.Optional(line(1_000_000)),
    template: Type.Optional({ ...TemplateName, description: 'Name of a template of the org.' } as typeof TemplateName),
    locale: Type.Optional(Locale),
    providerTemplate: Type.Optional(line(255, 'A template that the provider keeps, by its reference.')),
    fields: Type.Optional(MergeFields),
    customId: Type.Optional(
      Text({ pattern: '^[\\w.@-]{1,256}$', description: 'Comes back in the provider’s events.' }),
    ),
    headers: Type.Optional(
      Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } }),
    ),
    attachments: Type.Optional(
      Type.Array(
        Type.Object(
          {
            filename: Text({ minLength: 1, maxLength: 255 }),
            contentType: Type.Optional(Text({ maxLength: 255 })),
            contentBase64: Type.Optional(Type.String({ description: 'Its content …' })),
            path: Type.Optional(
              Text({ maxLength: 1024, description: '… or where the org’s storage has it: bucket/path.' }),
            ),
            contentId: Type.Optional(
              Text({ pattern: '^[\\w.@+-]{1,128}$', description: 'For images that the html shows.' }),
            ),
          },
          { ...closed, title: 'attachment' },
        ),
        { maxItems: 20 },
      ),
    ),
  },
  closed,
)
export type EmailInput = Static<typeof EmailInput>
