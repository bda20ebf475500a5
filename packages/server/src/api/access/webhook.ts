/**
 * The webhook strategy: somebody else says who a caller is.
 *
 * Every request is told to the configured URL by its headers, without its body; a 2xx answer with a JSON object is the
 * user's metadata. Anything else, and an answer that does not come in time, is a refusal. How many are asked about at
 * once is bounded, and so is what is read of an answer.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'undici'
import type { Log } from '../../log.ts'
import { createReachLog } from './reach-log.ts'

/** The user's metadata, or null for a refusal. Never rejects. */
export type AskWebhook = (headers: IncomingHttpHeaders) => Promise<Readonly<Record<string, unknown>> | null>

const TIMEOUT_MS = 5000
const CONNECTIONS = 64
const MAX_ANSWER_BYTES = 65_536
/** What is about the connection and the body, not about the caller. */
const OWN = new Set(
  'host connection keep-alive transfer-encoding te trailer upgrade expect content-length content-type content-encoding accept-encoding'.split(
    ' ',
  ),
)

export function createWebhook(url: string, log: Log, timeoutMs: number = TIMEOUT_MS): AskWebhook {
  const dispatcher = new Agent({ connections: CONNECTIONS })
  const reach = createReachLog(log, 'the authorization webhook')
  return async headers => {
    try {
      const { statusCode, body } = await request(url, {
        method: 'POST',
        headers: { ...callerHeaders(headers), 'content-type': 'application/json' },
        body: '{}',
        dispatcher,
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await readBounded(body)
      if (statusCode >= 500) throw new Error(`it answered ${statusCode}`)
      const metadata = statusCode < 300 ? parse(text) : null
      reach.well()
      return metadata
    } catch (error) {
      reach.failed(error)
      return null
    }
  }
}

function callerHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const told = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !OWN.has(name) && !/^(proxy-|sec-websocket-)/.test(name),
  )
  return Object.fromEntries(told) as Record<string, string | string[]>
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw new Error(`it answered with more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

/** @throws SyntaxError for what is no JSON */
function parse(text: string): Readonly<Record<string, unknown>> {
  const answer: unknown = JSON.parse(text)
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer)) return answer as Record<string, unknown>
  throw new SyntaxError('it answered with JSON that is no object')
}
