/** How long one fdatasync takes in this folder, as a database's log writes: one page at a time. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PAGE = Buffer.alloc(8192)
const TIMES = 200

/**
 * Gives the median and the 99th percentile, in milliseconds: of one after the other, or of one every `everyMs`. What is
 * woken for each takes several times as long, on virtual machines above all.
 */
export async function measureFdatasync(folder, everyMs = 0) {
  const path = join(folder, 'fdatasync')
  const file = openSync(path, 'w')
  const times = []
  try {
    // A log is written into space that it has already; growing would measure the file system's journal too.
    for (let i = 0; i < TIMES; i++) writeSync(file, PAGE, 0, PAGE.length, i * PAGE.length)
    fdatasyncSync(file)
    for (let i = 0; i < TIMES; i++) {
      if (everyMs > 0) await new Promise(resolve => setTimeout(resolve, everyMs))
      const start = performance.now()
      writeSync(file, PAGE, 0, PAGE.length, i * PAGE.length)
      fdatasyncSync(file)
      times.push(performance.now() - start)
    }
  } finally {
    closeSync(file)
    rmSync(path)
  }
  times.sort((a, b) => a - b)
  return { p50: times[TIMES / 2], p99: times[Math.floor(TIMES * 0.99)] }
}
