/** A thread that sleeps to the moments of a schedule more exactly than a timer does, and says when one has come. */
import { parentPort, workerData } from 'node:worker_threads'
import { nowUs } from '../body.mjs'

const { periodUs, ticks } = workerData
const never = new Int32Array(new SharedArrayBuffer(4))
const start = nowUs() + 50_000

for (let tick = 0; tick < ticks; tick++) {
  const at = Math.round(start + tick * periodUs)
  for (let now = nowUs(); now < at; now = nowUs()) Atomics.wait(never, 0, 0, (at - now) / 1000)
  parentPort.postMessage(at)
}
