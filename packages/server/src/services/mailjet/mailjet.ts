import type { Email, Mailbox } from '../email.ts'
import { type FaultCode, type FaultError, fail, faultCodeOf, faultOf } from '../faults.ts'
import { basicAuth, isOk, isRecord, parseJson, type Reply, replyError, request, textIn } from '../http.ts'
import { createJsonRequest } from '../json-request.ts'
import type { Result, ServiceType } from '../port.ts'

const HOME = 'https://api.mailjet.com'
const TEMPLATES_AT_ONCE = 1_000

export const mailjet: ServiceType = {
  name: 'mailjet',
  title: 'Mailjet',
  summary: 'Sends emails through the Send API, version 3.1, fifty to a request.',
  credentials: {
    fields: { user: { meaning: 'API key', required: true }, password: { meaning: 'API secret', required: true } },
  },
  functions: ['email'],
  batch: 50,
  // Mailjet takes 15 MB with everything around it.
  batchBytes: 14 * 1024 * 1024,
  calls: ['listTemplates', 'jsonRequest'],
  async open(credentials, means) {
    const home = means.endpoint?.('mailjet') ?? HOME
    const headers = { authorization: basicAuth(credentials.user, credentials.password) }
    const ask = (path: string, signal: AbortSignal) =>
      request(means, { url: home + path, method: 'GET', headers, signal })
    return {
      async check(signal) {
        const reply = await ask('/v3/REST/sender?Limit=1000', signal)
        if (!isOk(reply)) throw errorOf(reply)
        const senders = rowsOf(reply).filter(row => row.Status === 'Active')
        return `Mailjet accepts the key; active senders: ${senders.map(row => row.Email).join(', ') || 'none'}`
      },
      async email(emails, signal) {
        const reply = await request(means, {
          url: `${home}/v3.1/send`,
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ Messages: emails.map(messageOf) }),
          signal,
        })
        // A batch of which some failed is answered 400 as well: only the answer for each message tells.
        const answers = answersOf(reply)
        if (answers?.length !== emails.length) throw errorOf(reply)
        return answers.map(answer => readResult(answer, reply))
      },
      calls: {
        async listTemplates(_, signal) {
          const reply = await ask(`/v3/REST/template?OwnerType=user&Limit=${TEMPLATES_AT_ONCE}`, signal)
          if (!isOk(reply)) throw errorOf(reply)
          return rowsOf(reply).map(({ ID, Name }) => ({ reference: String(ID), name: String(Name) }))
        },
        jsonRequest: createJsonRequest({ means, credentials, home, headers }),
      },
    }
  },
}

function rowsOf(reply: Reply): Record<string, unknown>[] {
  const body = parseJson(reply.text)
  const rows = isRecord(body) && Array.isArray(body.Data) ? body.Data.filter(isRecord) : null
  if (rows === null) throw errorOf(reply)
  return rows
}

/** What Mailjet says of each message; null if it speaks of the request as a whole. */
function answersOf({ text }: Reply): Record<string, unknown>[] | null {
  const body = parseJson(text)
  return isRecord(body) && Array.isArray(body.Messages) ? body.Messages.filter(isRecord) : null
}

function readResult(answer: Record<string, unknown>, reply: Reply): Result {
  if (answer.Status === 'success') {
    const [first] = Array.isArray(answer.To) ? answer.To : []
    // The number beside it does not fit in a JavaScript number.
    return { reference: textIn(first, 'MessageUUID') ?? null }
  }
  const errors = Array.isArray(answer.Errors) ? answer.Errors.filter(isRecord) : []
  const status = errors.map(error => error.StatusCode).find(code => typeof code === 'number') ?? reply.status
  const said = errors.map(error => textIn(error, 'ErrorMessage')).filter(text => text !== undefined)
  const code = errors.map(error => textIn(error, 'ErrorCode')).find(text => text !== undefined) ?? null
  const fault = faultOf(codeOf(status, code), `Mailjet refused it: ${said.join('; ') || status}`, {
    status,
    serviceCode: code,
    retryAfterMs: reply.retryAfterMs,
  })
  return { fault }
}

/** Of single messages: a sender that is not validated, or an account that may not send now. */
const BY_CODE: Readonly<Record<string, FaultCode>> = { 'send-0008': 'misconfigured', 'mj-0015': 'unavailable' }

function codeOf(status: number, code: string | null): FaultCode {
  return BY_CODE[code ?? ''] ?? (status < 300 ? 'wrong_answer' : faultCodeOf(status))
}

function errorOf(reply: Reply): FaultError {
  const body = parseJson(reply.text)
  const code = textIn(body, 'ErrorCode')
  const said = { reason: textIn(body, 'ErrorMessage') ?? textIn(body, 'ErrorInfo'), code }
  return replyError('Mailjet', reply, { ...said, fault: codeOf(reply.status, code ?? null) })
}

function messageOf(email: Email) {
  const { subject, text, html, template, replyTo, customId, headers } = email
  if (template !== null && !/^\d{1,15}$/.test(template.reference)) {
    fail('invalid', 'template.reference must be the number of a template at Mailjet')
  }
  return {
    From: mailboxOf(email.from),
    To: email.to.map(mailboxOf),
    Cc: email.cc.map(mailboxOf),
    Bcc: email.bcc.map(mailboxOf),
    ...(replyTo === null ? {} : { ReplyTo: mailboxOf(replyTo) }),
    ...(customId === null ? {} : { CustomID: customId }),
    ...(template === null
      ? { Subject: subject, ...(text === null ? {} : { TextPart: text }), ...(html === null ? {} : { HTMLPart: html }) }
      : { TemplateID: Number(template.reference), TemplateLanguage: true, Variables: template.fields }),
    Headers: headers,
    ...attachmentsOf(email),
  }
}

function attachmentsOf({ attachments }: Email) {
  const all = attachments.map(({ filename, contentType, content, contentId }) => ({
    ContentType: contentType,
    Filename: filename,
    Base64Content: content.toString('base64'),
    ...(contentId === null ? {} : { ContentID: contentId }),
  }))
  return {
    Attachments: all.filter(one => !('ContentID' in one)),
    InlinedAttachments: all.filter(one => 'ContentID' in one),
  }
}

function mailboxOf({ address, name }: Mailbox) {
  return { Email: address, ...(name === null ? {} : { Name: name }) }
}
