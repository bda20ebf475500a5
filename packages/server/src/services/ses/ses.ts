import type { SESv2Client, SendEmailCommandInput } from '@aws-sdk/client-sesv2'
import { createAwsRequest } from '../aws/aws-request.ts'
import { classifyAws, clientOptions } from '../aws/client.ts'
import { AWS_FIELDS } from '../aws/credentials.ts'
import type { ProviderTemplate } from '../calls.ts'
import { type Email, formatMailbox, type Mailbox } from '../email.ts'
import type { Fault, FaultCode } from '../faults.ts'
import { sendOneByOne } from '../one-by-one.ts'
import type { ServiceType } from '../port.ts'

/** SES allows 14 a second to most; it tells of its limit by throttling. */
const WIDTH = 5
const MAX_TEMPLATES = 1_000

export const ses: ServiceType = {
  name: 'ses',
  title: 'Amazon SES',
  summary: 'Sends emails through the SES API, version 2.',
  credentials: { fields: AWS_FIELDS },
  functions: ['email'],
  batch: 10,
  calls: ['listTemplates', 'awsRequest'],
  async open(credentials, means) {
    const { GetAccountCommand, ListEmailTemplatesCommand, SendEmailCommand, SESv2Client } = await import(
      '@aws-sdk/client-sesv2'
    )
    const client = new SESv2Client(clientOptions('ses', credentials, means))
    return {
      classify,
      async check(signal) {
        const account = await client.send(new GetAccountCommand({}), { abortSignal: signal })
        const { SendQuota: quota, ProductionAccessEnabled: production, SendingEnabled: sending } = account
        const limits = `${quota?.SentLast24Hours ?? 0} of ${quota?.Max24HourSend ?? 0} emails used in 24 hours, ${quota?.MaxSendRate ?? 0} a second`
        return `Amazon SES in ${credentials.host}: sending is ${sending ? 'on' : 'paused'}, ${limits}${production ? '' : '; sandbox: verified recipients only'}`
      },
      email: (emails, signal) =>
        sendOneByOne(emails, {
          width: WIDTH,
          classify,
          async send(email) {
            const sent = await client.send(new SendEmailCommand(commandOf(email)), { abortSignal: signal })
            return { reference: sent.MessageId ?? null }
          },
        }),
      calls: {
        listTemplates: (_, signal) =>
          listTemplates(
            client,
            (NextToken, PageSize) => new ListEmailTemplatesCommand({ NextToken, PageSize }),
            signal,
          ),
        awsRequest: createAwsRequest(credentials, means),
      },
      close: async () => client.destroy(),
    }
  },
}

type ListCommand = InstanceType<typeof import('@aws-sdk/client-sesv2').ListEmailTemplatesCommand>

async function listTemplates(
  client: SESv2Client,
  command: (next: string | undefined, pageSize: number) => ListCommand,
  signal: AbortSignal,
): Promise<ProviderTemplate[]> {
  const templates: ProviderTemplate[] = []
  let next: string | undefined
  do {
    const page = await client.send(command(next, 100), { abortSignal: signal })
    for (const { TemplateName: name } of page.TemplatesMetadata ?? []) {
      if (name !== undefined) templates.push({ reference: name, name })
    }
    next = page.NextToken
  } while (next !== undefined && templates.length < MAX_TEMPLATES)
  return templates
}

const BY_NAME: Readonly<Record<string, FaultCode>> = {
  AccountSuspendedException: 'unavailable',
  SendingPausedException: 'unavailable',
  LimitExceededException: 'throttled',
  MailFromDomainNotVerifiedException: 'misconfigured',
  MessageRejected: 'rejected',
  BadRequestException: 'rejected',
  NotFoundException: 'rejected',
}

function classify(error: unknown): Fault | null {
  return classifyAws('Amazon SES', error, BY_NAME)
}

function commandOf(email: Email): SendEmailCommandInput {
  const { from, to, cc, bcc, replyTo, customId } = email
  return {
    FromEmailAddress: formatMailbox(from),
    Destination: { ToAddresses: formatAll(to), CcAddresses: formatAll(cc), BccAddresses: formatAll(bcc) },
    ReplyToAddresses: replyTo === null ? [] : [formatMailbox(replyTo)],
    Content: contentOf(email),
    EmailTags: customId === null ? [] : [{ Name: 'CustomID', Value: customId }],
  }
}

function contentOf({ subject, text, html, template, headers, attachments }: Email): SendEmailCommandInput['Content'] {
  const Headers = Object.entries(headers).map(([Name, Value]) => ({ Name, Value }))
  const Attachments = attachments.map(({ filename, contentType, content, contentId }) => ({
    FileName: filename,
    ContentType: contentType,
    RawContent: new Uint8Array(content),
    ContentTransferEncoding: 'BASE64' as const,
    ContentDisposition: contentId === null ? ('ATTACHMENT' as const) : ('INLINE' as const),
    ...(contentId === null ? {} : { ContentId: contentId }),
  }))
  if (template !== null) {
    return {
      Template: {
        TemplateName: template.reference,
        TemplateData: JSON.stringify(template.fields),
        Headers,
        Attachments,
      },
    }
  }
  const Charset = 'UTF-8'
  const Body = {
    ...(text === null ? {} : { Text: { Data: text, Charset } }),
    ...(html === null ? {} : { Html: { Data: html, Charset } }),
  }
  return { Simple: { Subject: { Data: subject, Charset }, Body, Headers, Attachments } }
}

function formatAll(mailboxes: readonly Mailbox[]): string[] {
  return mailboxes.map(formatMailbox)
}
