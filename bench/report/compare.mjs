/** This run beside the last one that was kept: what of Posthorn's became faster or slower, the machine's own drift taken out. */
import { finder } from './promises.mjs'

/** Smaller changes are noise on a machine that is not alone. */
const NOTEWORTHY = 0.1

/**
 * Rates are compared as shares of the raw limit where both runs have one, because hosts drift by half from day to day.
 * Gives [{ what, before, now, change }], the largest change first.
 */
export function compare(kept, medians) {
  const before = finder(kept)
  const limits = [before('drain', 'raw-request', 'backlog'), finder(medians)('drain', 'raw-request', 'backlog')]
  const drift = limits.includes(null) ? 1 : limits[1] / limits[0]
  return medians
    .filter(({ contender }) => contender.startsWith('posthorn'))
    .flatMap(({ scenario, contender, kind, figures }) => {
      const now = figures.rate
      const then = before(scenario, contender, kind)
      if (now === undefined || then === null) return []
      const change = now / drift / then - 1
      return [{ what: `${scenario}, ${contender}, ${kind}`, before: then, now, change }]
    })
    .filter(({ change }) => Math.abs(change) >= NOTEWORTHY)
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
}
