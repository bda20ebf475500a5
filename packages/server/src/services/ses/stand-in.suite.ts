import { secretWord } from '../../../test/leaks/marked.ts'
import { wrongSignature } from '../aws/verify.suite.ts'
import {
  type Asked,
  faultOfEmail,
  json,
  type OnEnd,
  parse,
  type Replied,
  type StandIn,
  startHttp,
} from '../stand-in.suite.ts'

const KEYS = { AKIDEXAMPLE1234567: secretWord('/K7MDENG+bPxRfiCY') }
export const credentials = {
  host: 'eu-central-1',
  user: 'AKIDEXAMPLE1234567',
  password: KEYS.AKIDEXAMPLE1234567,
  path: null,
}

type Sent = { asked: Asked; body: Record<string, unknown> }

/** SES v2: `POST /v2/email/outbound-emails`, and what else the adapter asks; every signature is checked. */
export async function startSes(onEnd?: OnEnd): Promise<StandIn & { sent: Sent[]; asked: Asked[] }> {
  const sent: Sent[] = []
  const http = await startHttp(
    {
      error: (status, message) =>
        json(status, { message }, { 'x-amzn-errortype': NAMES[status] ?? 'BadRequestException' }),
      answer(asked): Replied {
        const wrong = wrongSignature(asked, 'ses', KEYS)
        if (wrong !== null) return json(403, { message: 'The signature does not match' }, { 'x-amzn-errortype': wrong })
        const route = `${asked.method} ${asked.url.pathname}`
        if (route === 'GET /v2/email/account') return json(200, ACCOUNT)
        if (route === 'GET /v2/email/templates') return templates(asked)
        if (route !== 'POST /v2/email/outbound-emails') return json(404, { message: route })
        const body = parse(asked)
        const [to = ''] = (body.Destination as { ToAddresses: string[] }).ToAddresses
        const [name = ''] = to.split('@')
        if (name.startsWith('rejected')) {
          return json(
            400,
            { message: `Address blocked: ${to}` },
            { 'x-amzn-errortype': 'MessageRejected:http://internal.amazon.com/' },
          )
        }
        if (name.startsWith('quota')) {
          return json(
            429,
            { message: 'Maximum sending rate exceeded.' },
            { 'x-amzn-errortype': 'TooManyRequestsException' },
          )
        }
        sent.push({ asked, body })
        return json(200, { MessageId: `ses-${name}` })
      },
    },
    onEnd,
  )
  return {
    credentials,
    wrong: { ...credentials, password: 'another' },
    endpoint: http.origin,
    ...http,
    sent,
    taken: () => sent.map(({ body }) => (body.Destination as { ToAddresses: string[] }).ToAddresses[0]!.split('@')[0]!),
    act: faultOfEmail,
  }
}

const NAMES: Readonly<Record<number, string>> = { 429: 'TooManyRequestsException', 503: 'ServiceUnavailable' }
const ACCOUNT = {
  ProductionAccessEnabled: false,
  SendingEnabled: true,
  SendQuota: { Max24HourSend: 200, MaxSendRate: 1, SentLast24Hours: 3 },
}

function templates({ url }: Asked): Replied {
  const page = url.searchParams.get('NextToken') ?? '1'
  const names = [`welcome ${page}`, `thanks ${page}`]
  return json(200, {
    TemplatesMetadata: names.map(TemplateName => ({ TemplateName })),
    ...(page === '1' ? { NextToken: '2 +/=' } : {}),
  })
}
