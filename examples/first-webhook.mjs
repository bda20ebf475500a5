/**
 * Posthorn inside a program: starts a node in a folder of its own, puts a message, and receives it as a signed webhook.
 *
 *   node examples/first-webhook.mjs
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyWebhook } from '@posthorn/client'
import { loadConfig, processSources, silentLog, startNode } from 'posthorn'

const dataDir = await mkdtemp(join(tmpdir(), 'posthorn-example-'))
const config = loadConfig(processSources({ dataDir, port: '0' }))
const node = await startNode(config, silentLog)
const posthorn = node.client // from another program, the same: createClient({ url: node.url }) of @posthorn/client
const secret = `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`

const receiver = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  // Throws if anybody but this queue sent it.
  await verifyWebhook(secret, request.headers, body)
  response.writeHead(204).end()
  receiver.emit('received', body.toString())
})
await once(receiver.listen(0, '127.0.0.1'), 'listening')
const received = once(receiver, 'received')

const callbackUrl = `http://127.0.0.1:${receiver.address().port}/`
const queue = await posthorn.queues.create({ name: 'example', callbackUrl, secrets: [secret] })
const message = await posthorn.messages.put({ queueId: queue.id, body: JSON.stringify({ hello: 'world' }) })
const [body] = await received
console.log(`put message ${message.id}, received ${body}`)

receiver.close()
await node.stop()
await rm(dataDir, { recursive: true })
