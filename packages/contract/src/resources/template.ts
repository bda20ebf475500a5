import { type CreateOf, optional, type RowOf, readOnly, required, resource } from '../resource.ts'
import { Nullable, RecordId, Text, Timestamp } from '../schema.ts'

/** A language and what narrows it: `en`, `pt-BR`, `zh-Hant`. */
const LOCALE = '^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}$'
export const Locale = Text({ pattern: LOCALE, maxLength: 35, description: 'en, de, pt-BR …' })
export const TemplateName = Text({ minLength: 1, maxLength: 255, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })
const part = (description: string) => Nullable(Text({ maxLength: 1_000_000, description }))

export const template = resource({
  name: 'template',
  plural: 'templates',
  summary: 'An email template of an org, in Mustache: one for each name and locale.',
  primaryKey: ['id'],
  fields: {
    id: readOnly(RecordId),
    orgName: readOnly(Text({ description: 'Whose it is.' })),
    name: required(TemplateName),
    locale: optional(Nullable({ ...Locale, description: 'Null is the one for whom no other fits.' } as typeof Locale), {
      default: null,
    }),
    subject: required(Text({ minLength: 1, maxLength: 998 }), { filter: false, sort: false }),
    text: optional(part('Its plain text.'), { filter: false, sort: false, default: null }),
    html: optional(part('Its HTML; merged fields are escaped.'), { filter: false, sort: false, default: null }),
    createdAt: readOnly(Timestamp),
    updatedAt: readOnly(Timestamp),
  },
})

export type Template = RowOf<typeof template.fields>
export type TemplateCreate = CreateOf<typeof template.fields>
