import { onTestFinished } from 'vitest'
import { stopAll } from './nodes.ts'
import type { Place } from './places.ts'
import { Receiver } from './receiver.ts'

/** A database and a receiver for one test. When it is over, its nodes are ended first, and then these. */
export async function openStage(open: () => Promise<Place>): Promise<{ place: Place; receiver: Receiver }> {
  const place = await open()
  const receiver = await Receiver.start()
  onTestFinished(async () => {
    await stopAll()
    await receiver.stop()
    await place.close()
  })
  return { place, receiver }
}
