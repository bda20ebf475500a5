/** How much a story does: short in CI, in full under `npm run soak`, which sets these by environment. */
import { appendFileSync } from 'node:fs'

/** A count from the environment, or the short one. */
export function scale(name: 'KILLS' | 'ROUNDS' | 'BACKLOG' | 'BURSTS' | 'IMPORT', short: number): number {
  const given = process.env[`STORY_${name}`]
  return given === undefined ? short : Number(given)
}

/** Where soak collects what a story measured: one JSON line each. */
export function measured(story: string, figures: Readonly<Record<string, number | string>>): void {
  const file = process.env.STORY_MEASURED
  if (file) appendFileSync(file, `${JSON.stringify({ story, figures })}\n`)
}
