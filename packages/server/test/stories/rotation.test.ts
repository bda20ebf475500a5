import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyWebhook } from '../../../client/src/verify-webhook.ts'
import { startNode } from '../harness/nodes.ts'
import { openEmbedded } from '../harness/places.ts'
import { runCommand } from '../harness/run-command.ts'
import { openStage } from '../harness/stage.ts'
import { signingSecret } from '../leaks/marked.ts'

test('the key of an embedded database is replaced while its node is stopped, and the next one signs as before', {
  timeout: 120_000,
}, async () => {
  const { place, receiver } = await openStage(openEmbedded)
  // The key is made in the data folder.
  const { POSTHORN_SECRET_KEY: _, ...env } = place.env
  const keyFile = (): string => readFileSync(join(env.POSTHORN_DATA_DIR!, 'secret.key'), 'utf8')
  const rotate = () => runCommand('', ['secrets', 'rotate'], { env })
  const secret = signingSecret()

  const first = await startNode(env)
  const queue = await first.api.createQueue({ callbackUrl: receiver.url, secrets: [secret] })
  await first.api.put(queue.id, 'before')
  await receiver.waitForArrivals(1)
  const old = keyFile()
  const refused = await rotate()
  expect(refused.error).toContain('in use')
  expect(refused.code).toBe(1)
  expect(keyFile()).toBe(old)

  await first.stop()
  expect(await rotate()).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^all secrets are sealed under key [0-9a-f]{8} now; 1 rows were sealed anew$/m),
  })
  expect(keyFile()).not.toBe(old)
  const second = await startNode(env)
  await second.api.put(queue.id, 'after')
  await receiver.waitForArrivals(2)
  for (const { rawHeaders, body } of receiver.arrivals) {
    const headers = Object.fromEntries(
      Array.from({ length: rawHeaders.length / 2 }, (_, i) => [
        rawHeaders[2 * i]!.toLowerCase(),
        rawHeaders[2 * i + 1]!,
      ]),
    )
    await verifyWebhook(secret, headers, body)
  }
  await second.stop()
  const stranger = await startNode({ ...env, POSTHORN_SECRET_KEY: old.trim() }).catch((error: Error) => error.message)
  expect(stranger).toMatch(/secrets are sealed under key [0-9a-f]{8}, but the configured secret key is key/)
})
