import { startFauxqs } from 'fauxqs'
import { onTestFinished } from 'vitest'
import { secretWord } from '../../../test/leaks/marked.ts'
import { wrongSignature } from '../aws/verify.suite.ts'
import { type Asked, faultOfNote, json, type OnEnd, type Replied, type StandIn, startHttp } from '../stand-in.suite.ts'

const KEYS = { AKIDEXAMPLE1234567: secretWord('/K7MDENG+bPxRfiCY') }
export const ACCOUNT = '/000000000000'

/** fauxqs, which does not look at signatures, behind a door that does. */
export async function startSqs(onEnd: OnEnd = onTestFinished) {
  const fauxqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: 'eu-central-1' })
  onEnd(() => fauxqs.stop())
  const urls = new Map<string, string>()
  for (const name of ['plain', 'line.fifo']) {
    const attributes: Record<string, string> = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
    urls.set(name, fauxqs.createQueue(name, { region: 'eu-central-1', attributes }).queueUrl)
  }
  const hiccups = new Set<string>()
  const http = await startHttp(
    {
      error: (status, message) =>
        json(status, { __type: `com.amazonaws.sqs#${NAMES[status] ?? 'InvalidParameterValue'}`, message }),
      async answer(asked): Promise<Replied> {
        const wrong = wrongSignature(asked, 'sqs', KEYS)
        if (wrong !== null) return json(403, { __type: `com.amazon.coral.service#${wrong}`, message: 'No.' })
        const [passed, failed] = takeHiccups(asked, hiccups)
        const replied = await forward(passed, `http://127.0.0.1:${fauxqs.port}`, urls)
        return failed.length === 0 ? replied : withFailed(replied, failed)
      },
    },
    onEnd,
  )
  const credentials = {
    host: 'eu-central-1',
    user: 'AKIDEXAMPLE1234567',
    password: KEYS.AKIDEXAMPLE1234567,
    path: `${http.origin}${ACCOUNT}/plain`,
  }
  const inside = (name: string) => fauxqs.inspectQueue(name)!.messages.ready
  const standIn: StandIn = {
    ...http,
    credentials,
    wrong: { ...credentials, password: 'another' },
    taken: () => inside('plain').map(({ body }) => (JSON.parse(body) as { id: string }).id),
    act: faultOfNote,
  }
  /** Entries whose bodies have one of `hiccups` in them fail once, for reasons of SQS. */
  return { ...standIn, ...http, inside, hiccups }
}

interface Entry {
  readonly Id: string
  readonly MessageBody: string
}

/** The request without the entries that are to fail, and those. */
function takeHiccups(asked: Asked, hiccups: Set<string>): [passed: Asked, failed: readonly Entry[]] {
  const text = asked.body.toString('utf8')
  if (hiccups.size === 0 || !text.includes('"Entries"')) return [asked, []]
  const request = JSON.parse(text) as { Entries: Entry[] }
  const failed = request.Entries.filter(({ MessageBody }) => {
    const found = [...hiccups].find(one => MessageBody.includes(one))
    return found !== undefined && hiccups.delete(found)
  })
  const Entries = request.Entries.filter(entry => !failed.includes(entry))
  return [{ ...asked, body: Buffer.from(JSON.stringify({ ...request, Entries })) }, failed]
}

function withFailed(replied: Replied, entries: readonly Entry[]): Replied {
  const { Successful = [], Failed = [] } = JSON.parse(String(replied.body)) as Record<string, object[]>
  const more = entries.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false, Message: 'try it again' }))
  return { ...replied, status: 200, body: JSON.stringify({ Successful, Failed: [...Failed, ...more] }) }
}

const NAMES: Readonly<Record<number, string>> = { 429: 'RequestThrottled', 503: 'ServiceUnavailable' }

/** fauxqs knows its queues by URLs with its own host and port. */
async function forward(
  { method, target, headers, body }: Asked,
  origin: string,
  urls: ReadonlyMap<string, string>,
): Promise<Replied> {
  const text = body.toString('utf8').replace(/"QueueUrl":"([^"]*)"/, (all, url: string) => {
    const own = urls.get(url.split('/').at(-1)!)
    return own === undefined ? all : `"QueueUrl":"${own}"`
  })
  const { 'x-amz-target': action = '', 'content-type': type = '', authorization = '' } = headers
  const response = await fetch(origin + target, {
    method,
    headers: { 'x-amz-target': String(action), 'content-type': type, authorization },
    body: text,
  })
  return {
    status: response.status,
    headers: { 'content-type': 'application/x-amz-json-1.0' },
    body: await response.text(),
  }
}
