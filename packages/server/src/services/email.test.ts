import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatMailbox, wrongEmail } from './email.ts'
import { emailTo } from './stand-in.suite.ts'

describe('an email', () => {
  test('that would leave its headers, or name nobody, is refused by its field', () => {
    const wrong: [Parameters<typeof emailTo>[1] & object, string][] = [
      [{ to: [] }, 'to must name'],
      [{ to: [{ address: 'a@b.example\r\nBcc: x@y.example', name: null }] }, 'to must be an email address'],
      [{ cc: [{ address: 'a@b.example,c@d.example', name: null }] }, 'cc must be an email address'],
      [{ from: { address: 'nobody', name: null } }, 'from must be an email address'],
      [{ replyTo: { address: 'a@b.example', name: 'x\ny' } }, 'replyTo must have a name on one line'],
      [{ subject: 'a\nb' }, 'subject must be one line'],
      [{ text: null, html: null }, 'text, html or template must be given'],
      [{ customId: 'with space' }, 'customId must'],
      [{ headers: { 'X-A': 'b\r\nBcc: c@d.example' } }, 'headers.X-A must be one line'],
      [{ headers: { bcc: 'c@d.example' } }, 'headers.bcc is made from'],
      [{ headers: { 'X A': 'b' } }, "is not a header's name"],
      [{ text: 'x'.repeat(10 * 1024 * 1024 + 1) }, 'at most 10485760 bytes'],
      [
        { attachments: [{ filename: 'a', contentType: 'text', content: Buffer.alloc(0), contentId: null }] },
        'must be a media type',
      ],
      [
        { to: Array.from({ length: 51 }, () => ({ address: 'a@b.example', name: null })) },
        'at most 50 recipients, they name 51',
      ],
    ]
    for (const [more, words] of wrong) expect(wrongEmail(emailTo('a@b.example', more)), words).toContain(words)
    expect(wrongEmail(emailTo('grüße@bücher.example'))).toBeNull()
  })

  test('a mailbox stands on one line of ASCII in a header, whatever the name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 200 }).filter(name => !/\p{Cc}/u.test(name)),
        name => {
          const header = formatMailbox({ address: 'a@b.example', name })
          expect(header).toMatch(/^[\x20-\x7e]*$/)
          expect(header === 'a@b.example' || header.endsWith(' <a@b.example>')).toBe(true)
          for (const word of header.split(' ')) if (word.startsWith('=?')) expect(word.length).toBeLessThanOrEqual(75)
        },
      ),
    )
  })
})
