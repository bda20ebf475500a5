import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { type Api, ApiError } from '../harness/api.ts'
import { demandAll, Ledger } from '../harness/ledger.ts'
import { startNode, stopAll } from '../harness/nodes.ts'
import { openEmbedded, type Place } from '../harness/places.ts'
import { Receiver } from '../harness/receiver.ts'

const SMALL_MB = 160
const ENOUGH_MB = 400
const BALLAST_BYTES = 1_000_000

let place: Place
let receiver: Receiver
const folder = mkdtempSync(join(tmpdir(), 'posthorn-small-disk-'))
const obstacle = mount(`size=${SMALL_MB}m`)
if (obstacle !== null) rmdirSync(folder)

afterEach(async () => {
  await stopAll()
  await receiver?.stop()
  await place?.close()
  spawnSync('umount', [folder])
  rmdirSync(folder)
})

function mount(options: string): string | null {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], {
    encoding: 'utf8',
  })
  return status === 0 ? null : (stderr ?? '').trim() || String(error)
}

const name = 'a full disk refuses puts, loses none that was acknowledged, and goes on when there is room'
const title = obstacle === null ? name : `${name} [SKIPPED, no small disk to be had: ${obstacle}]`

test.skipIf(obstacle !== null)(title, { timeout: 90_000 }, async () => {
  place = await openEmbedded()
  receiver = await Receiver.start()
  const env = { ...place.env, POSTHORN_DATA_DIR: folder }
  let node = await startNode(env)
  const ledger = new Ledger()
  const queue = await node.api.createQueue({ callbackUrl: `${receiver.url}/` })
  const ballast = await node.api.createQueue({ callbackUrl: `${receiver.url}/ballast` })
  for (const { id } of [queue, ballast]) await node.api.post(`/queues/${id}/pause`, {})
  const refusal = await fillUntilRefused(node.api, queue.id, ballast.id, ledger)
  expect(refusal, 'a put on a full disk').toBeInstanceOf(ApiError)
  expect(refusal?.status).toBeGreaterThanOrEqual(500)
  expect(mount(`remount,size=${ENOUGH_MB}m`)).toBeNull()
  if (!node.alive) node = await startNode(env)
  await node.api.post(`/queues/${queue.id}/resume`, {})
  await demandAll(ledger, receiver, 60_000)
})

/** Puts until one is refused: a small message that must survive, and a large one to fill the disk, in turn. */
async function fillUntilRefused(
  api: Api,
  queueId: number,
  ballastId: number,
  ledger: Ledger,
): Promise<ApiError | null> {
  for (let mb = 0; mb < ENOUGH_MB; mb++) {
    try {
      const token = ledger.open()
      await api.put(queueId, token)
      ledger.acknowledge(token)
      await api.post('/messages/', { queueId: ballastId, bodyBase64: randomBytes(BALLAST_BYTES).toString('base64') })
    } catch (error) {
      if (error instanceof ApiError) return error
      throw error
    }
  }
  return null
}
