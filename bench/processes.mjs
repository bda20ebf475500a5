/** What processes use, read from /proc: CPU seconds of a process with its descendants, and the most memory it had. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** The kernel counts for users in hundredths of a second, whatever its own clock does. */
const TICKS = 100

/** CPU seconds of these processes and all below them, those included that have ended and were waited for. */
export function cpuSeconds(pids) {
  const table = readTable()
  let ticks = 0
  const seen = new Set()
  const visit = pid => {
    const row = table.get(pid)
    if (!row || seen.has(pid)) return
    seen.add(pid)
    ticks += row.ticks
    for (const child of row.children) visit(child)
  }
  for (const pid of pids) visit(pid)
  return ticks / TICKS
}

/** Lets the most memory be counted anew from here. */
export function resetPeak(pids) {
  for (const pid of pids) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Most resident memory of these processes together since `resetPeak`, in MB. */
export function peakMegabytes(pids) {
  const kilobytes = pids.map(pid => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]))
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
}

function readTable() {
  const table = new Map()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readStat(name)
    if (stat) table.set(Number(name), stat)
  }
  for (const [pid, { parent }] of table) table.get(parent)?.children.push(pid)
  return table
}

function readStat(pid) {
  let text
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return null // It has ended since the folder was read.
  }
  // The name stands in brackets and may hold anything; after it come state, parent, …, and from the 12th on the times.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return { parent: Number(fields[1]), ticks, children: [] }
}
