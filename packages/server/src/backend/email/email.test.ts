import { describe, expect, test } from 'vitest'
import type { Assignment } from '../assignments.ts'
import { composeEmail, readEmailInput } from './compose.ts'
import { render, wrongTemplate } from './render.ts'
import { rewriteSender } from './sender.ts'
import { localesToTry } from './template-book.ts'

describe('a template', () => {
  test('merges fields, escaped in html and as they are in text', () => {
    const fields = { name: 'A & B', items: [{ n: 1 }, { n: 2 }], deep: { er: 'x' } }
    expect(render('{{name}} {{{name}}} {{deep.er}}{{#items}} {{n}}{{/items}}{{none}}', fields, { html: true })).toBe(
      'A &amp; B A & B x 1 2',
    )
    expect(render('{{name}}', fields, { html: false })).toBe('A & B')
  })

  test('reaches nothing but its fields', () => {
    const text = '{{constructor}}|{{__proto__}}|{{list.constructor}}|{{list.map}}|{{#constructor}}x{{/constructor}}'
    expect(render(text, { list: [1], text: 'a' }, { html: false })).toBe('||||')
    expect(render('{{text.constructor.name}}{{toString}}', { text: 'a' }, { html: false })).toBe('')
  })

  test('ends when it takes too many steps', () => {
    const fields = { a: Array.from({ length: 400 }, () => 1) }
    expect(() => render('{{#a}}{{#a}}{{#a}}x{{/a}}{{/a}}{{/a}}', fields, { html: false })).toThrow(
      'it takes more than 100000 steps',
    )
  })

  test('that cannot be read says why', () => {
    expect(wrongTemplate('{{#a}}')).toMatch(/Unclosed section/)
    expect(wrongTemplate('{{a}}')).toBeNull()
  })

  test('is looked for from the narrowest locale to the widest', () => {
    expect(localesToTry('zh_Hant-TW')).toEqual(['zh-hant-tw', 'zh-hant', 'zh', ''])
    expect(localesToTry(undefined)).toEqual([''])
  })
})

const lent = (emailFrom: string | null) => ({ orgName: 'acme', lender: { name: 'house', emailFrom } })
const ann = { address: 'ann@acme.example', name: 'Ann' }

describe('the sender', () => {
  test('stays who it is with a service of its own', () => {
    expect(rewriteSender(ann, null, { orgName: 'acme', lender: null })).toEqual({ from: ann, replyTo: null })
  })

  test("is the lender's through a service that is lent, and answers go where they would have gone", () => {
    const house = { address: 'mail@house.example', name: 'Ann' }
    expect(rewriteSender(ann, null, lent('mail@house.example'))).toEqual({ from: house, replyTo: ann })
    const bob = { address: 'bob@acme.example', name: null }
    expect(rewriteSender(ann, bob, lent('mail@house.example'))).toEqual({ from: house, replyTo: bob })
    expect(rewriteSender({ ...ann, name: null }, null, lent('mail@house.example')).from.name).toBe('ann@acme.example')
  })

  test("stays who it is within the lender's own domain", () => {
    expect(rewriteSender(ann, null, lent('x@ACME.example')).from).toEqual(ann)
  })

  test('is trouble of the service where the lender has no address', () => {
    expect(() => rewriteSender(ann, null, lent(null))).toThrow('org house, which has no emailFrom')
  })
})

const assignment: Assignment = { orgId: 1, orgName: 'acme', emailFrom: 'us@acme.example', lender: null, service: null }
const means = {
  findTemplate: async (_: number, name: string) =>
    name === 'hi' ? { locale: '', subject: 'Hi\n{{name}}', text: 'T {{name}}', html: '<p>{{name}}' } : null,
  fetchFile: async (_: number, path: string) => ({ contentType: 'text/plain', content: Buffer.from(path) }),
}
const compose = (input: object) => composeEmail('msg_1', readEmailInput(JSON.stringify(input)), assignment, means)
const to = [{ address: 'ann@example.org', name: 'Ann' }]

describe('an email', () => {
  test('has everything merged, on one line where it must be', async () => {
    const email = await compose({ to, template: 'hi', fields: { name: 'A\r\nBcc: b & c' }, customId: 'c1' })
    expect(email).toMatchObject({
      id: 'msg_1',
      from: { address: 'us@acme.example', name: null },
      to,
      subject: 'Hi A Bcc: b & c',
      html: '<p>A\r\nBcc: b &amp; c',
      customId: 'c1',
    })
  })

  test("can name a provider's template, and carry files that are given or stored", async () => {
    const attachments = [
      { filename: 'a', contentBase64: Buffer.from('given').toString('base64') },
      { filename: 'b', path: 'bucket/b.txt' },
    ]
    const email = await compose({ to, providerTemplate: '17', fields: { a: 1 }, attachments })
    expect(email.template).toEqual({ reference: '17', fields: { a: 1 } })
    expect(email.attachments.map(({ content, contentType }) => [`${content}`, contentType])).toEqual([
      ['given', 'application/octet-stream'],
      ['bucket/b.txt', 'text/plain'],
    ])
  })

  test.each([
    ['no JSON', 'the body must be an email as JSON', 'invalid'],
    [{ subject: 's' }, "must have required property 'to'", 'invalid'],
    [{ to, subject: 's', text: 't', cco: [] }, 'must NOT have additional properties: cco', 'invalid'],
    [{ to, template: 'ho' }, 'org acme has no template ho', 'deferred'],
    [{ to, template: 'hi', text: 't' }, 'exactly one of template', 'invalid'],
    [{ to, subject: '{{#x}}', text: 't' }, 'subject of the template: Unclosed section', 'invalid'],
    [{ to, subject: 's', text: 't', attachments: [{ filename: 'a' }] }, 'either contentBase64 or path', 'invalid'],
  ])('that is wrong says how: %o', async (input, problem, code) => {
    const body = typeof input === 'string' ? input : JSON.stringify(input)
    const composed = (async () => composeEmail('m', readEmailInput(body), assignment, means))()
    await expect(composed).rejects.toThrow(problem)
    await expect(composed).rejects.toMatchObject({ fault: { code } })
  })
})
