import { expect, test } from 'vitest'
import { measured } from '../harness/scale.ts'
import { type PlantedBug, simulate } from './world.ts'

const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 200)
const FIRST = Number(process.env.SIMULATION_FIRST_SEED ?? 1)

const replay = (seed: number): string => `SIMULATION_FIRST_SEED=${seed} SIMULATION_SEEDS=1 npx vitest run simulation`

test(`under ${SEEDS} schedules of crashes, freezes, cuts, delays and errors, every guarantee holds`, {
  timeout: 60_000 + SEEDS * 5000,
}, async () => {
  let messages = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { violations, acknowledged } = await simulate({ seed, nodes: 3, messages: 120, faults: true })
    expect(violations, replay(seed)).toEqual([])
    messages += acknowledged
  }
  measured('the simulation', { seeds: SEEDS, 'messages acknowledged': messages, violations: 0 })
})

test('without a fault, no message is delivered twice and none out of order', { timeout: 120_000 }, async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { violations } = await simulate({ seed, nodes: 2, messages: 150, faults: false })
    expect(violations, `seed ${seed}`).toEqual([])
  }
})

test('the same seed replays exactly', async () => {
  const scenario = { seed: 7, nodes: 3, messages: 60, faults: true }
  expect(await simulate(scenario)).toEqual(await simulate(scenario))
})

const bugs: PlantedBug[] = [
  'missing fence',
  'cursor that skips late commits',
  'settle lost after a crash',
  'cancels that nobody hears of',
  'pauses that nobody hears of',
  'a concurrency that nobody keeps',
  'a rate that nobody keeps',
  'a circuit that never opens',
  'a spread that nobody takes back',
]

test.each(bugs)('a planted bug is found: %s', { timeout: 120_000 }, async bug => {
  for (let seed = 1; seed <= 200; seed++) {
    const receivers = seed % 2 === 0 ? 'slow and failing' : 'well'
    const { violations } = await simulate({ seed, nodes: 3, messages: 120, faults: true, receivers, bug })
    if (violations.length > 0) return
  }
  expect.unreachable(`200 schedules did not show the bug "${bug}"`)
})
