/** A bare HTTP server: stores what it is sent by a plain INSERT, sends it on by `request`, and answers. */
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import './leash.mjs'
import { openPlainStore } from './plain-store.mjs'
import { openClient } from './receiver-client.mjs'

const [, , databaseUrl, sinkUrl] = process.argv
const store = await openPlainStore(databaseUrl)
const client = openClient()

const server = createServer(async (request, response) => {
  const body = await text(request)
  await store.insert(body)
  const sent = client.send(sinkUrl, body)
  response.writeHead(204).end()
  await sent
})
server.listen(0, '127.0.0.1', () => process.send(`http://127.0.0.1:${server.address().port}/`))
