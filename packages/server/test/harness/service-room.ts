/** One node, and around it every service that it can call: the suites' stand-ins, which check who calls as the real ones do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSes } from '../../src/services/ses/stand-in.suite.ts'
import { certificate, startSmtp } from '../../src/services/smtp/stand-in.suite.ts'
import { startSqs } from '../../src/services/sqs/stand-in.suite.ts'
import type { OnEnd } from '../../src/services/stand-in.suite.ts'
import { startStripe } from '../../src/services/stripe/stand-in.suite.ts'
import { startSupabase } from '../../src/services/supabase/stand-in.suite.ts'
import { startWebhook } from '../../src/services/webhook/stand-in.suite.ts'
import { startWordPress } from '../../src/services/wordpress/stand-in.suite.ts'
import type { Api, MessageRow } from './api.ts'
import { startNode } from './nodes.ts'
import { openEmbedded } from './places.ts'
import { runCommand } from './run-command.ts'

export type ServiceRoom = Awaited<ReturnType<typeof openServiceRoom>>

export async function openServiceRoom() {
  const ends: Parameters<OnEnd>[0][] = []
  const onEnd: OnEnd = end => void ends.push(end)
  const standIns = await startStandIns(onEnd)
  const { ses, sqs, stripe } = standIns
  const place = await openEmbedded()
  onEnd(() => place.close())
  const endpoints = { ses: ses.endpoint, sqs: sqs.origin, stripe: stripe.endpoint, test_stripe: stripe.endpoint }
  const node = await startNode({
    ...place.env,
    ...trustOf(onEnd),
    POSTHORN_SERVICE_ENDPOINTS: Object.entries(endpoints)
      .map(pair => pair.join('='))
      .join(','),
  })
  onEnd(async () => void (await node.stop()))
  return {
    ...standIns,
    node,
    api: node.api,
    command: (args: readonly string[], stdin = '') => command(node.url, args, stdin),
    async close(): Promise<void> {
      for (const end of ends.reverse()) await end()
    },
  }
}

async function startStandIns(onEnd: OnEnd) {
  return {
    ses: await startSes(onEnd),
    sqs: await startSqs(onEnd),
    stripe: await startStripe(onEnd),
    supabase: await startSupabase(onEnd),
    wordpress: await startWordPress(onEnd),
    webhook: await startWebhook({}, undefined, onEnd),
    /** Null without openssl, which has then said so. */
    starttls:
      certificate &&
      (await startSmtp({ hideSTARTTLS: false, allowInsecureAuth: false, ...certificate, scheme: 'tls' }, onEnd)),
    tls: certificate && (await startSmtp({ secure: true, ...certificate, scheme: 'ssl' }, onEnd)),
  }
}

/** As an operator has a node trust a mail server of the house. */
function trustOf(onEnd: OnEnd): Record<string, string> {
  if (certificate === null) return {}
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-trust-'))
  onEnd(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  writeFileSync(file, certificate.cert)
  return { NODE_EXTRA_CA_CERTS: file }
}

async function command(url: string, args: readonly string[], stdin: string): Promise<string> {
  const { code, out, error } = await runCommand(url, args, { stdin })
  if (code !== 0) throw new Error(`posthorn ${args.join(' ')}: ${error}`)
  return out
}

/** Attached, and with retries that a story need not wait for. Gives the queue of the function. */
export async function attach(api: Api, work: 'email' | 'push' | 'event', service: string): Promise<number> {
  await api.change('/processing/', { [`${work}Backend`]: service })
  const workers = await api.get<{ id: number; function: string }[]>('/workers/')
  const { id } = workers.find(worker => worker.function === work)!
  await api.change(`/queues/${id}`, { backoff: { delaysMs: [200], jitter: 0 } })
  return id
}

export interface Settled extends MessageRow {
  readonly reason: string | null
}

/** The messages, in this order, once none of them waits any more. */
export async function settled(api: Api, ids: readonly number[]): Promise<Settled[]> {
  for (const deadline = performance.now() + 20_000; ; ) {
    const found = await Promise.all(ids.map(id => api.get<Settled>(`/messages/${id}`)))
    if (found.every(({ status }) => status !== 'pending')) return found
    if (performance.now() > deadline) throw new Error(`not settled: ${JSON.stringify(found)}`)
    await new Promise(resolve => setTimeout(resolve, 30))
  }
}
